#include "watcher/config/config.h"

#include <algorithm>
#include <filesystem>
#include <limits>

#include <fmt/format.h>

#include "base/file.h"
#include "formatter/input/input.h"
#include "watcher/config/sections.h"
#include "watcher/files/absolute_path.h"

namespace caravel::watcher {
namespace {

/// Folders with format files: those that are named must exist; `formats` beside the file is taken
/// if it is there.
Result<> read_formats(const YamlNode& node, const std::string& base, Config& config) {
  std::error_code ignored;
  if (!node.exists()) {
    const std::string beside = resolve_path("formats", base);
    if (std::filesystem::is_directory(beside, ignored)) config.formats.push_back(beside);
    return {};
  }
  CARAVEL_ASSIGN_OR_RETURN(auto folders, node.as_strings());
  // Folders that are named must exist: a typing mistake would otherwise look like a missing format.
  for (const std::string& folder : folders) {
    config.formats.push_back(resolve_path(folder, base));
    if (!std::filesystem::is_directory(config.formats.back(), ignored)) {
      return node.error(fmt::format("{} is not a folder", config.formats.back()));
    }
  }
  return {};
}

const Variables kNoVariables = [](const std::string&) { return std::nullopt; };

/// The nodes of the sections, which are read once the keys at the top are known.
struct Sections {
  YamlNode formats;
  YamlNode stores;
  YamlNode serve;
  YamlNode feeds;
};

/// How long the ledger has a row for each extract, and knows its content.
void read_ledger_times(SectionReader& reader, Config& config) {
  // What `status` says of the last day must not miss an extract.
  constexpr std::chrono::hours kLeastFoldAfter{48};
  reader.duration("fold_after", config.fold_after, kLeastFoldAfter);
  reader.duration("remember", config.remember, kLeastFoldAfter);
  if (!reader.has("remember")) {
    config.remember = std::max(config.remember, config.fold_after);
  } else if (reader.is_good("fold_after") && reader.is_good("remember") &&
             config.remember < config.fold_after) {
    reader.fail_at("remember", "must not be shorter than fold_after: a row has its SHA-256 in it");
  }
}

/// Every key at the top of the file. A new key gets a line here; its default stands in Config, its
/// explanation in etc/caravel.yaml.
Sections read_keys(SectionReader& reader, const std::string& base, Config& config) {
  constexpr std::uint64_t kMostBytes = std::numeric_limits<std::int64_t>::max();
  reader.path("spool", config.spool, base);
  reader.path("state", config.state, base);
  reader.choice<std::string>("log_level", config.log_level,
                             {{"trace", "trace"},
                              {"debug", "debug"},
                              {"info", "info"},
                              {"warning", "warning"},
                              {"error", "error"}});
  reader.choice<LogFormat>(
      "log_format", config.log_format,
      {{"text", LogFormat::text}, {"logfmt", LogFormat::logfmt}, {"json", LogFormat::json}});
  reader.size("min_free", config.min_free, 0, kMostBytes);
  reader.size("max_unpacked", config.max_unpacked, 1, kMostBytes);
  reader.count("max_ratio", config.max_ratio, 1, 1'000'000'000);
  reader.size("max_window", config.max_window, formatter::kLeastWindow, formatter::kMostWindow);
  reader.size("max_reject_bytes", config.max_reject_bytes, 0, kMostBytes);
  reader.size("max_line", config.max_line, 256, 1ULL << 30);
  reader.count("max_claims", config.max_claims, 1, 100'000);
  reader.count("workers", config.workers, 1, 1'000);
  reader.size("max_done_size", config.max_done_size, 0, kMostBytes);
  reader.size("max_csv_size", config.max_csv_size, 0, kMostBytes);
  reader.size("max_rejects_size", config.max_rejects_size, 0, kMostBytes);
  reader.size("max_failed_size", config.max_failed_size, 0, kMostBytes);
  read_ledger_times(reader, config);
  constexpr std::chrono::seconds kLeastPatience{1};
  reader.duration("expect_sweep", config.expect_sweep, kLeastPatience);
  reader.duration("max_wait", config.max_wait, kLeastPatience);
  return {reader.node("formats"), reader.node("stores"), reader.node("serve"),
          reader.node("feeds")};
}

/// "FILE:LINE: key", of an error "FILE:LINE: key: what is wrong".
std::string_view place_of(std::string_view message, std::string_view file) {
  const std::size_t line_end = message.find(": ", std::min(file.size() + 1, message.size()));
  if (line_end == std::string_view::npos) return message;
  return message.substr(0, message.find(": ", line_end + 2));
}

/// One error a key: what follows from a value that is missing because its variable is not set would
/// only lead astray.
Error one_error_a_key(Error error, const std::string& file) {
  std::vector<std::string> kept;
  for (std::string& other : error.others) {
    const auto same = [&](std::string_view earlier) {
      return place_of(earlier, file) == place_of(other, file);
    };
    if (!same(error.message) && std::ranges::none_of(kept, same)) kept.push_back(std::move(other));
  }
  error.others = std::move(kept);
  return error;
}

Result<Config> read_config(const YamlNode& root, const std::string& path,
                           const uploader::StoreTypes& store_types, const ConfigOptions& options) {
  // Relative paths are relative to the file, and not to the directory where the program is started.
  const std::string base = std::filesystem::path(absolute_path(path)).parent_path().string();
  if (!root.exists()) {
    return fail(ErrorKind::usage,
                fmt::format("{}: empty; the least that works is: feeds: {{NAME: {{}}}}", path));
  }
  Errors errors;
  errors.add(expand_variables(root, options.variables ? options.variables : kNoVariables));
  Config config;
  config.file = path;
  SectionReader reader(root);
  const Sections sections = read_keys(reader, base, config);
  // Unknown and wrong keys at the top are told first, before those of the sections.
  errors.add(reader.finish());
  errors.add(read_formats(sections.formats, base, config));
  errors.add(read_serve(sections.serve, base, config.serve));
  // A feed names its store, so the stores come first, wherever they stand in the file.
  errors.add(read_stores(sections.stores, {base, store_types, options}, config));
  errors.add(read_feeds(sections.feeds, config));
  if (auto all = errors.result(); !all) {
    return tl::unexpected(one_error_a_key(std::move(all).error(), path));
  }
  return config;
}

template <class Named>
const Named* find_named(const std::vector<Named>& things, std::string_view name) {
  const auto found = std::find_if(things.begin(), things.end(),
                                  [&](const Named& thing) { return thing.name == name; });
  return found == things.end() ? nullptr : &*found;
}

/// The thing of this name; without a name, the only one that there is. If there are several, a
/// guess could load a file into the wrong store, so it is an error. `what` is "feed" or "store".
template <class Named>
Result<const Named*> choose(const std::vector<Named>& things, const std::string& file,
                            std::string_view what, const std::optional<std::string>& name) {
  if (name) {
    if (const Named* found = find_named(things, *name)) return found;
    return fail(ErrorKind::usage, fmt::format("--{} {}: {} has no such {}; {}", what, *name, file,
                                              what, nearest_or_all(*name, things)));
  }
  if (things.size() == 1) return &things.front();
  return fail(ErrorKind::usage,
              fmt::format("which {0}? Say --{0} NAME, one of: {1}", what, names_of(things)));
}

}  // namespace

std::uint64_t MaxRejects::allowed(std::uint64_t lines) const {
  if (lines < kFromLines) return lines;
  if (!percent) return count;
  // Not lines * percent / 100: that could overflow.
  return lines / 100 * *percent + lines % 100 * *percent / 100;
}

const FeedConfig* Config::find_feed(std::string_view name) const { return find_named(feeds, name); }

const uploader::StoreConfig* Config::find_store(std::string_view name) const {
  return find_named(stores, name);
}

std::string find_config(const std::optional<std::string>& option, const char* env) {
  if (option) return *option;
  // An empty $CARAVEL_CONFIG counts as none, as in the shell's ${NAME:-VALUE}.
  if (env != nullptr && *env != '\0') return env;
  return "/etc/caravel/caravel.yaml";
}

Result<Config> load_config(const std::string& path, const uploader::StoreTypes& store_types,
                           const ConfigOptions& options) {
  auto root = YamlNode::load(path);
  if (!root) {
    Error error = std::move(root).error();
    std::error_code ignored;
    // Only if the file is missing: one that cannot be read, or that is no YAML, needs no other
    // name.
    if (!std::filesystem::exists(path, ignored)) {
      error.message += " (name a configuration with --config FILE or $CARAVEL_CONFIG)";
    }
    return tl::unexpected(std::move(error));
  }
  return read_config(*root, path, store_types, options);
}

Result<Config> parse_config(const std::string& text, const std::string& path,
                            const uploader::StoreTypes& store_types, const ConfigOptions& options) {
  CARAVEL_ASSIGN_OR_RETURN(auto root, YamlNode::parse(text, path));
  return read_config(root, path, store_types, options);
}

Result<> expect_feeds(const Config& config) {
  // No error of the file itself: commands that need no feed work without one.
  if (!config.feeds.empty()) return {};
  return fail(ErrorKind::usage, fmt::format("{}: no feed is configured; the least that works is: "
                                            "feeds: {{NAME: {{}}}}",
                                            config.file));
}

Result<const FeedConfig*> choose_feed(const Config& config,
                                      const std::optional<std::string>& name) {
  CARAVEL_TRY(expect_feeds(config));
  return choose(config.feeds, config.file, "feed", name);
}

Result<const uploader::StoreConfig*> choose_store(const Config& config,
                                                  const std::optional<std::string>& name) {
  return choose(config.stores, config.file, "store", name);
}

std::string store_place(const uploader::StoreConfig& store) { return store.place; }

std::vector<KnownKeys> known_config_keys(const uploader::StoreTypes& store_types) {
  // The readers themselves are asked: no second list of keys could grow out of date.
  Config unused;
  return {{"", keys_of([&](SectionReader& reader) { (void)read_keys(reader, "/", unused); })},
          {"stores", store_keys(store_types)},
          {"serve", serve_keys()},
          {"feeds", feed_keys()}};
}

}  // namespace caravel::watcher
