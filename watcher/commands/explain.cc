// caravel explain
#include <fcntl.h>

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "base/file.h"
#include "base/text.h"
#include "formatter/input/input.h"
#include "formatter/input/line_splitter.h"
#include "formatter/records/matcher.h"
#include "formatter/rows/row_id.h"
#include "watcher/commands/command_line.h"
#include "watcher/commands/setup.h"
#include "watcher/files/name_rules.h"
#include "watcher/ledger/drop_names.h"
#include "watcher/ledger/history.h"
#include "watcher/ledger/manifests.h"
#include "watcher/ledger/sources.h"
#include "watcher/ledger/stores.h"
#include "watcher/pipeline/format_step.h"
#include "watcher/report/report.h"
#include "watcher/sources/sequence.h"
#include "watcher/spool/refused_manifests.h"

namespace caravel::watcher {
namespace {

/// SHA-256 of a file as it is.
Result<std::string> sha256_of(const std::string& path) {
  CARAVEL_ASSIGN_OR_RETURN(auto fd, open_file(path, O_RDONLY | O_NONBLOCK));
  CARAVEL_ASSIGN_OR_RETURN(auto input, formatter::Input::open(std::move(fd), {}));
  std::string chunk(256 * 1024, '\0');
  for (;;) {
    CARAVEL_ASSIGN_OR_RETURN(auto got, input.read(chunk.data(), chunk.size()));
    if (got == 0) return input.digests().packed;
  }
}

struct FoundLine {
  std::string text;          // as it came
  std::uint64_t offset = 0;  // in the unpacked extract
};

/// One line of an extract.
Result<std::optional<FoundLine>> line_of(const std::string& path, std::uint64_t number,
                                         std::size_t max_line) {
  CARAVEL_ASSIGN_OR_RETURN(auto fd, open_file(path, O_RDONLY | O_NONBLOCK));
  formatter::Input::Options options;
  options.digest = false;
  CARAVEL_ASSIGN_OR_RETURN(auto input, formatter::Input::open(std::move(fd), options));
  formatter::LineSplitter lines(input, max_line);
  formatter::Line line;
  for (;;) {
    CARAVEL_ASSIGN_OR_RETURN(auto more, lines.next(line));
    if (!more) return std::nullopt;
    if (line.number == number) return FoundLine{std::string(line.text()), line.offset};
  }
}

void print_gap(const SequenceGap& gap, Time now) {
  fmt::print(
      "  missing        {} of its run, for {}: late or lost\n", describe(gap),
      duration_for_people(std::chrono::duration_cast<std::chrono::milliseconds>(now - gap.since)));
}

/// What is missing of the run that the extract belongs to.
void print_gaps(Ledger& ledger, const Extract& extract, const std::optional<Manifest>& manifest,
                Time now) {
  const auto place = sequence_of(extract.feed, extract.name, manifest);
  if (!place) return;
  const auto sources = ledger.sources().all();
  if (!sources) return;
  for (const SourceStatus& source : *sources) {
    if (source.run.feed != extract.feed || source.run.run != place->run.run) continue;
    for (const SequenceGap& gap : source.gaps) {
      print_gap(gap, now);
    }
  }
}

void print_extracts(Ledger& ledger, const std::vector<Extract>& extracts) {
  const auto now = std::chrono::system_clock::now();
  const auto stores = ledger.stores().all();
  for (const Extract& extract : extracts) {
    if (&extract != &extracts.front()) fmt::print("\n");
    fmt::print("{}", explain_text(extract, now));
    const auto manifest = ledger.manifests().of_content(extract.feed, extract.sha256, extract.name);
    if (manifest && *manifest) fmt::print("{}", explain_manifest_text(**manifest));
    print_gaps(ledger, extract, manifest ? *manifest : std::nullopt, now);
    if (!stores || extract.state == State::done || extract.state == State::failed) continue;
    // One that is queued behind others waits for what they wait for.
    for (const StoreRecord& store : *stores) {
      if (store.name == extract.store && store.state != StoreState::ok) {
        fmt::print("  its store      {}\n", printable(store.why));
      }
    }
  }
}

/// What became of a manifest. False if none of that name came.
bool explain_manifest(Ledger& ledger, const Config& config, const std::string& file) {
  const auto name = manifest_in_archive(file);
  if (!name) return false;
  const std::string target(manifest_target(*name).value_or(""));
  bool told = false;
  for (const FeedConfig& feed : config.feeds) {
    const auto manifests = ledger.manifests().for_name(feed.name, target);
    if (!manifests || manifests->empty()) continue;
    fmt::print("{}: taken (feed {})\n{}", printable(*name), feed.name,
               explain_manifest_text(manifests->front()));
    // Newest first.
    const auto extracts = ledger.history().find_name(target).value_or(std::vector<Extract>());
    const auto own = std::find_if(extracts.begin(), extracts.end(),
                                  [&](const Extract& e) { return e.feed == feed.name; });
    fmt::print("  its extract    {}: {}\n", printable(target),
               own == extracts.end() ? "has not come" : name_of(own->state));
    told = true;
  }
  constexpr std::size_t kMost = 10;
  for (const RefusedManifest& refused : refused_manifests(config.spool, kMost, *name).newest) {
    fmt::print("{}: refused\n  refused because it {}\n  since          {}\n  file           {}\n",
               printable(*name), printable(refused.why), time_for_people(refused.since),
               printable(config.spool + "/failed/" + refused.file));
    told = true;
  }
  return told;
}

/// An extract that never came, though others tell of it. False if nothing does.
bool explain_missing(Ledger& ledger, const Config& config, const std::string& name) {
  const Time now = std::chrono::system_clock::now();
  bool told = false;
  for (const FeedConfig& feed : config.feeds) {
    const auto manifests = ledger.manifests().for_name(feed.name, name);
    const auto sources = ledger.sources().all();
    if (manifests && !manifests->empty()) {
      fmt::print("{}: has not come, though its manifest has (feed {})\n{}", printable(name),
                 feed.name, explain_manifest_text(manifests->front()));
      told = true;
      continue;
    }
    const auto place = sequence_of(feed.name, name, std::nullopt);
    if (!place || !sources) continue;
    for (const SourceStatus& source : *sources) {
      if (source.run.feed != feed.name || source.run.run != place->run.run) continue;
      for (const SequenceGap& gap : source.gaps) {
        if (place->sequence < gap.first || place->sequence > gap.last) continue;
        fmt::print("{}: has not come: {} of run {} is missing for {} (feed {}): late or lost\n",
                   printable(name), describe(gap), place->run.run,
                   duration_for_people(
                       std::chrono::duration_cast<std::chrono::milliseconds>(now - gap.since)),
                   feed.name);
        told = true;
      }
    }
  }
  if (const auto refusal = refusal_of_manifest(config.spool, manifest_name(name));
      refusal && !told) {
    fmt::print("{}: has not come; its manifest came and was refused: it {}\n", printable(name),
               printable(*refusal));
    told = true;
  }
  return told;
}

/// Whether a row's id says that it is this line at the place in the log that the extract's manifest
/// tells (`identity: position`).
bool is_line_at_its_place(Ledger& ledger, const Extract& extract, const FoundLine& line,
                          std::string_view id) {
  // A replay's may have come by another name; that of what was packed on its way, for another sum.
  std::vector<Manifest> manifests =
      ledger.manifests().for_name(extract.feed, extract.name).value_or(std::vector<Manifest>());
  if (auto known = ledger.manifests().of_content(extract.feed, extract.sha256, extract.name);
      known && *known) {
    manifests.push_back(std::move(**known));
  }
  return std::any_of(manifests.begin(), manifests.end(), [&](const Manifest& manifest) {
    const auto digest = formatter::hash_positioned(
        first_line_hash(manifest), manifest.first + line.offset, formatter::trim_line(line.text));
    return id.ends_with(":" + formatter::to_hex(digest));
  });
}

/// A log that is captured, here or on another host: what of it has come. False if none is known by
/// that path, or, where no file has it, by that name.
bool explain_log(Ledger& ledger, const std::string& what, bool is_file) {
  namespace fs = std::filesystem;
  std::error_code error;
  const std::string path = fs::absolute(what, error).lexically_normal().string();
  const std::string real = is_file ? fs::canonical(what, error).string() : path;
  const auto is_asked_for = [&](const std::string& log) {
    if (log == what || log == path || log == real) return true;
    return !is_file && fs::path(log).filename().string() == what;
  };
  const Time now = std::chrono::system_clock::now();
  const auto newest = ledger.manifests().newest_of_runs().value_or(std::vector<NewestManifest>());
  const auto sources = ledger.sources().all().value_or(std::vector<SourceStatus>());
  bool told = false;
  for (const NewestManifest& one : newest) {
    const Manifest& manifest = one.manifest;
    if (!is_asked_for(manifest.log)) continue;
    fmt::print("{}{}: a log that is captured (feed {})\n", told ? "\n" : "", printable(what),
               one.feed);
    fmt::print("  from           {}\n",
               printable(fmt::format("{} on {}", manifest.log, manifest.host)));
    fmt::print("  its extracts   run {}, the last that is known is number {}: {}\n", manifest.run,
               manifest.sequence, printable(one.name));
    fmt::print("  cut            {}, up to byte {} of inode {} there\n",
               time_for_people(manifest.cut), manifest.last, manifest.inode);
    const auto extracts = ledger.history().find_name(one.name).value_or(std::vector<Extract>());
    const auto own = std::find_if(extracts.begin(), extracts.end(),
                                  [&](const Extract& e) { return e.feed == one.feed; });
    fmt::print("  its state      {}\n",
               own == extracts.end() ? "has not come" : name_of(own->state));
    for (const SourceStatus& source : sources) {
      if (source.run.feed != one.feed || source.run.run != manifest.run) continue;
      for (const SequenceGap& gap : source.gaps) print_gap(gap, now);
    }
    fmt::print("  its lines      `caravel explain {}` tells of the last, and so for each number\n",
               printable(one.name));
    told = true;
  }
  return told;
}

int explain_document(const Settings& settings, Ledger& ledger, const FeedConfig& feed,
                     const std::string& id) {
  const auto store = uploader::make_store(*settings.config.find_store(feed.store));
  auto found = store->find(id);
  if (!found) return report_error(found.error());
  if (!*found) {
    fmt::print(stderr, "caravel: {}: the store {} has no such document\n", id, feed.store);
    return kExitFailed;
  }
  const uploader::StoredDocument& document = **found;
  fmt::print("{}\n", document.text);
  auto extracts = ledger.history().find_sha256(document.extract);
  if (!extracts) return report_error(extracts.error());
  if (document.line > 0) {
    fmt::print("\nline {} of the extract with SHA-256 {}…\n", document.line, document.extract);
    for (const Extract& extract : *extracts) {
      const std::string& path = extract.done_path.empty() ? extract.path : extract.done_path;
      auto line = line_of(path, document.line, settings.config.max_line);
      if (!line || !*line) continue;
      fmt::print("  {}\n", printable((*line)->text));
      // They have one content, so this line is theirs too; its place need not be.
      const auto others = std::stable_partition(
          extracts->begin(), extracts->end(),
          [&](const Extract& one) { return is_line_at_its_place(ledger, one, **line, id); });
      if (others != extracts->begin()) extracts->erase(others, extracts->end());
      break;
    }
    if (extracts->size() > 1) {
      fmt::print("Each of these {} extracts has that line:\n", extracts->size());
    }
  }
  if (extracts->empty()) {
    fmt::print("The ledger does not know that extract: it was loaded elsewhere.\n");
  } else {
    fmt::print("\n");
    print_extracts(ledger, *extracts);
  }
  return kExitGood;
}

}  // namespace

int run_explain(const CommandCall& call) {
  CommandLine line(
      "caravel explain FILE|DOC_ID",
      "Where a file is and why, or which extract and line a document came from. FILE is a\n"
      "name, a path, or the first digits of a SHA-256, or a log that is captured; DOC_ID is the\n"
      "_id of a row or feed document.");
  line.positional(false);
  if (auto parsed = line.parse(call.arguments); !parsed) return report_error(parsed.error());
  if (line.help_wanted()) {
    fmt::print("{}", line.help());
    return kExitGood;
  }
  if (line.arguments().empty()) {
    return report_error({ErrorKind::usage, "explain: names no file and no document", {}});
  }
  const std::string& what = line.arguments().front();
  std::error_code error;
  const bool is_file = std::filesystem::is_regular_file(what, error);
  // A row's id begins with its feed, a feed document's with "feed:<feed>".
  const std::string body = what.starts_with("feed:") ? what.substr(5) : what;
  const std::string feed_name = body.substr(0, body.find(':'));
  const bool is_document = !is_file && body.find(':') != std::string::npos;

  auto settings = load_settings(call, is_document);
  if (!settings) return report_error(settings.error());
  auto ledger = Ledger::open(settings->config.ledger_path(), Ledger::Mode::read_only);
  if (!ledger) return report_error(ledger.error());
  if (const FeedConfig* feed = settings->config.find_feed(feed_name); is_document && feed) {
    return explain_document(*settings, *ledger, *feed, what);
  }

  Result<std::vector<Extract>> extracts = std::vector<Extract>();
  if (is_file) {
    extracts =
        ledger->history().find_name(std::filesystem::absolute(what).lexically_normal().string());
    if (extracts && extracts->empty()) {
      auto sha256 = sha256_of(what);
      if (sha256) extracts = ledger->history().find_sha256(*sha256);
    }
  } else {
    extracts = ledger->history().find_name(what);
    const bool digits = what.size() >= 8 && what.size() <= 64 &&
                        what.find_first_not_of("0123456789abcdef") == std::string::npos;
    if (extracts && extracts->empty() && digits) extracts = ledger->history().find_sha256(what);
  }
  if (!extracts) return report_error(extracts.error());
  const std::string name = std::filesystem::path(what).filename().string();
  if (extracts->empty() && is_file) extracts = ledger->history().find_name(name);
  if (!extracts) return report_error(extracts.error());
  if (extracts->empty()) {
    auto left_alone = ledger->drop_names().left_alone();
    if (!left_alone) return report_error(left_alone.error());
    for (const auto& [feed, names] : *left_alone) {
      for (const LeftAlone& left : names) {
        if (left.name != printable(name)) continue;
        fmt::print("{}: left alone in the drop directory of {}: it {}\n", left.name, feed,
                   left.why);
        return kExitGood;
      }
    }
  }
  if (extracts->empty() && explain_manifest(*ledger, settings->config, name)) return kExitGood;
  if (extracts->empty() && explain_missing(*ledger, settings->config, name)) return kExitGood;
  if (extracts->empty() && explain_log(*ledger, what, is_file)) return kExitGood;
  if (extracts->empty()) {
    fmt::print(stderr, "caravel: {}: the ledger knows no such file{}\n", printable(what),
               is_file ? " and none with its content: it was never taken" : "");
    return kExitFailed;
  }
  print_extracts(*ledger, *extracts);
  return kExitGood;
}

}  // namespace caravel::watcher
