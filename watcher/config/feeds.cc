// The section `feeds:` of the configuration.
#include <fnmatch.h>

#include <algorithm>
#include <charconv>
#include <regex>

#include <fmt/format.h>

#include "watcher/config/sections.h"

namespace caravel::watcher {

using std::chrono::milliseconds;

namespace {

/// "50%", or a number of lines.
Result<> read_max_rejects(const YamlNode& node, MaxRejects& max_rejects) {
  if (!node.exists()) return {};
  CARAVEL_ASSIGN_OR_RETURN(auto text, node.as_string());
  const bool percent = text.ends_with('%');
  const char* const end = text.data() + text.size() - (percent ? 1 : 0);
  std::uint64_t number = 0;
  const auto [at, status] = std::from_chars(text.data(), end, number);
  if (status != std::errc{} || at != end || (percent && number > 100)) {
    return node.error(
        fmt::format("'{}' is neither a share from 0% to 100% nor a number of lines", text));
  }
  // The default is a share. A value in the file replaces it, so that only one of the two holds.
  max_rejects.percent.reset();
  if (percent) {
    max_rejects.percent = static_cast<unsigned>(number);
  } else {
    max_rejects.count = number;
  }
  return {};
}

/// A feed's name begins the ids of its rows and names its table, so it must be plain, and no id of
/// a feed document or a mapping may look like the id of a row.
Result<> check_name(const std::string& name, const YamlNode& node) {
  static const std::regex kName("[a-z][a-z0-9-]*");
  if (!std::regex_match(name, kName)) {
    return node.error(
        "a feed's name is made of lower-case letters, digits and '-', a letter first");
  }
  if (name == "feed" || name == "mapping") {
    return node.error(
        fmt::format("'{}' begins the ids of other documents; choose another name", name));
  }
  return {};
}

/// A pattern that can match nothing, or not what its writer meant, is found here and not by waiting
/// for files that are never taken.
Result<> check_match(const YamlNode& node, const std::string& match) {
  if (match.find('/') != std::string::npos) {
    return node.error("is a pattern for names; the folder goes into 'drop'");
  }
  for (const char* packed : {".gz", ".zst"}) {
    if (match.ends_with(packed)) {
      return node.error(
          fmt::format("is matched without '{0}': '{1}' takes NAME and NAME{0}", packed,
                      match.substr(0, match.size() - std::string_view(packed).size())));
    }
  }
  return {};
}

/// What the spool keeps for itself must not be taken for new files.
Result<> check_drop(const YamlNode& node, const std::string& drop, const std::string& spool) {
  if (drop == spool) {
    return node.error(fmt::format("{} is the spool itself; use a folder below it", drop));
  }
  for (const char* own : {"work", "csv", "done", "rejects", "failed"}) {
    const std::string folder = spool + "/" + own;
    // With a "/" at its end, so that a folder "work-new" beside work/ may be used.
    if (drop == folder || drop.starts_with(folder + "/")) {
      return node.error(fmt::format("{} is the spool's own; use another folder", folder));
    }
  }
  return {};
}

/// The feed's store: the one it names or, without a name, the only one.
Result<> choose_feed_store(const YamlNode& node, const Config& config, FeedConfig& feed) {
  if (config.stores.empty()) return {};  // `stores` is wrong, and that was said
  // One store is the usual case: no feed has to name it. With several, a guess could put rows where
  // nobody looks for them.
  if (feed.store.empty()) {
    if (config.stores.size() != 1) {
      return node["store"].error(
          fmt::format("missing; there is more than one: {}", names_of(config.stores)));
    }
    feed.store = config.stores.front().name;
  }
  const uploader::StoreConfig* store = config.find_store(feed.store);
  if (store == nullptr) {
    return node["store"].error(fmt::format("no store has the name '{}'; {}", feed.store,
                                           nearest_or_all(feed.store, config.stores)));
  }
  if (store->documents == uploader::Documents::feed && !feed.attach_csv) {
    return node["attach_csv"].error(fmt::format(
        "must be true: store '{}' says documents: feed, and then only the CSV holds the rows",
        store->name));
  }
  return {};
}

/// Is there a name that both patterns match? Only "*" and "?" are understood.
bool may_share_a_name(std::string_view a, std::string_view b) {
  if (a.empty() && b.empty()) return true;
  if (a.starts_with('*')) {
    // A '*' stands for nothing, or for the first letter of `b` and perhaps more.
    return may_share_a_name(a.substr(1), b) || (!b.empty() && may_share_a_name(a, b.substr(1)));
  }
  if (b.starts_with('*')) return may_share_a_name(b, a);
  if (a.empty() || b.empty()) return false;
  if (a.front() != '?' && b.front() != '?' && a.front() != b.front()) return false;
  return may_share_a_name(a.substr(1), b.substr(1));
}

/// Two feeds of one directory: the same file cannot be in both.
Result<> check_overlap(const YamlNode& node, const FeedConfig& earlier, const FeedConfig& feed,
                       std::vector<std::string>& warnings) {
  if (earlier.drop != feed.drop) return {};
  // Certain: each name that this feed matches is taken by the earlier one, so that this feed would
  // never get a file.
  const bool plain = feed.match.find_first_of("*?[\\") == std::string::npos;
  if (earlier.match == feed.match || earlier.match == "*" ||
      (plain && ::fnmatch(earlier.match.c_str(), feed.match.c_str(), 0) == 0)) {
    return node["match"].error(
        fmt::format("feed '{}' takes every such file of {} already (match '{}')", earlier.name,
                    feed.drop, earlier.match));
  }
  // Possible: both feeds may be meant so, and the order in the file decides: a warning. Only short
  // patterns are compared, because the search for a common name is exponential in the stars.
  const auto simple = [](const std::string& match) {
    return match.size() <= 64 && match.find_first_of("[\\") == std::string::npos &&
           std::count(match.begin(), match.end(), '*') <= 3;
  };
  if (simple(earlier.match) && simple(feed.match) && may_share_a_name(earlier.match, feed.match)) {
    warnings.push_back(
        fmt::format("{}: overlaps with feed '{}' (match '{}') in {}; '{}' stands first and gets "
                    "what both match",
                    node["match"].place(), earlier.name, earlier.match, feed.drop, earlier.name));
  }
  return {};
}

/// From when on a source counts as silent, and from when on nobody expects it any more.
void read_silence(SectionReader& reader, FeedConfig& feed) {
  milliseconds expect_every{0};
  reader.duration("expect_every", expect_every, milliseconds(1));
  if (expect_every.count() > 0) feed.expect_every = expect_every;
  reader.duration("forget_source", feed.forget_source, milliseconds(1));
  if (!reader.has("forget_source")) {
    // The default must not forget a source before its silence was ever reported.
    feed.forget_source = std::max(feed.forget_source, 2 * expect_every);
  } else if (reader.is_good("expect_every") && reader.is_good("forget_source") &&
             feed.forget_source <= expect_every) {
    reader.fail_at(
        "forget_source",
        "must be longer than expect_every: a source that is forgotten is not called silent");
  }
}

/// Every key of a feed, each with the check that needs no other section. A new key gets a line
/// here; its default stands in FeedConfig, its explanation in etc/caravel.yaml.
void read_keys(SectionReader& reader, const std::string& spool, FeedConfig& feed) {
  reader.path("drop", feed.drop, spool);
  reader.text("match", feed.match);
  reader.text("format", feed.format);
  // Whether a format of this name exists is known to those who have read all formats. The place is
  // for their message; the same holds for the time zone.
  feed.format_place = reader.node("format").place();
  reader.text("store", feed.store);
  reader.text("timezone", feed.timezone);
  feed.timezone_place = reader.node("timezone").place();
  reader.choice<Notice>("notice", feed.notice,
                        {{"auto", Notice::automatic}, {"poll", Notice::poll}});
  reader.duration("settle", feed.settle);
  if (reader.has("settle")) feed.settle_without_lease = feed.settle;
  reader.flag("attach_csv", feed.attach_csv);
  reader.flag("accept_unterminated", feed.accept_unterminated);
  reader.choice<YearRule>("year", feed.year,
                          {{"strict", YearRule::strict}, {"guess", YearRule::guess}});
  reader.choice<ManifestRule>("manifest", feed.manifest,
                              {{"optional", ManifestRule::optional},
                               {"required", ManifestRule::required},
                               {"ignore", ManifestRule::ignore}});
  reader.duration("manifest_wait", feed.manifest_wait);
  read_silence(reader, feed);
  reader.check("max_rejects", read_max_rejects(reader.node("max_rejects"), feed.max_rejects));
  reader.duration("keep_done", feed.keep_done);
  reader.duration("keep_csv", feed.keep_csv);
  reader.duration("keep_rejects", feed.keep_rejects);
  reader.duration("keep_failed", feed.keep_failed);
  if (reader.is_good("match")) {
    reader.check("match", check_match(reader.node("match"), feed.match));
  }
  if (reader.is_good("drop")) {
    reader.check("drop", check_drop(reader.node("drop"), feed.drop, spool));
  }
}

Result<FeedConfig> read_feed(const std::string& name, const YamlNode& node, Config& config) {
  Errors errors;
  errors.add(check_name(name, node));
  FeedConfig feed;
  feed.name = name;
  // The default is the drop directory that the spool makes for itself.
  feed.drop = config.spool + "/drop";
  SectionReader reader(node);
  read_keys(reader, config.spool, feed);
  errors.add(reader.finish());
  if (reader.is_good("store")) errors.add(choose_feed_store(node, config, feed));
  CARAVEL_TRY(errors.result());
  const uploader::StoreConfig* const store = config.find_store(feed.store);
  // A warning and no error: the rows themselves are stored, so nothing is lost.
  if (store != nullptr && feed.attach_csv && !store->takes_attachments) {
    config.warnings.push_back(fmt::format("{}: store '{}' is {}, which has no attachments",
                                          node["attach_csv"].place(), store->name, store->type));
  }
  return feed;
}

}  // namespace

std::vector<std::string> feed_keys() {
  FeedConfig unused;
  return keys_of([&](SectionReader& reader) { read_keys(reader, "/", unused); });
}

Result<> read_feeds(const YamlNode& feeds, Config& config) {
  if (!feeds.exists()) return {};
  CARAVEL_TRY(feeds.expect_map());
  Errors errors;
  for (const auto& [name, node] : feeds.pairs()) {
    auto feed = read_feed(name, node, config);
    if (!feed) {
      errors.add(std::move(feed).error());
      continue;
    }
    // In the order of the file: the first feed that matches a name has it.
    for (const FeedConfig& earlier : config.feeds) {
      errors.add(check_overlap(node, earlier, *feed, config.warnings));
    }
    config.feeds.push_back(*std::move(feed));
  }
  return errors.result();
}

}  // namespace caravel::watcher
