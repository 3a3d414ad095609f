// What is known of a name that the ledger has no extract of.
#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "base/text.h"
#include "watcher/files/name_rules.h"
#include "watcher/ledger/drop_names.h"
#include "watcher/ledger/history.h"
#include "watcher/ledger/manifests.h"
#include "watcher/ledger/sources.h"
#include "watcher/report/explain.h"
#include "watcher/report/run_gaps.h"
#include "watcher/report/words.h"
#include "watcher/sources/sequence.h"
#include "watcher/spool/refused_manifests.h"

namespace caravel::watcher {
namespace {

/// The state of the newest extract of this name in the feed, in words.
std::string state_of(Ledger& ledger, const std::string& feed, const std::string& name) {
  // Newest first.
  const auto extracts = ledger.history().find_name(name).value_or(std::vector<Extract>());
  const auto own = std::find_if(extracts.begin(), extracts.end(),
                                [&](const Extract& extract) { return extract.feed == feed; });
  return own == extracts.end() ? "has not come" : std::string(name_of(own->state));
}

/// Newest first. None if the ledger cannot be read: an explanation says what it can.
std::vector<Manifest> manifests_of(Ledger& ledger, const std::string& feed,
                                   const std::string& name) {
  return ledger.manifests().for_name(feed, name).value_or(std::vector<Manifest>());
}

/// The gap of a run in which the sequence number of `name` lies.
std::string explain_gap(const std::vector<SourceStatus>& sources, const std::string& feed,
                        const std::string& name, Time now) {
  const auto place = sequence_of(feed, name, std::nullopt);
  if (!place) return {};
  std::string out;
  for (const SequenceGap& gap : gaps_of_run(sources, feed, place->run.run)) {
    if (place->sequence < gap.first || place->sequence > gap.last) continue;
    out += fmt::format("{}: has not come: {} of run {} is missing for {} (feed {}): late or lost\n",
                       shown(name), describe(gap), place->run.run, ago(now, gap.since), feed);
  }
  return out;
}

/// Whether a person who says `what` means the log at the path `log`.
bool is_log(const std::string& what, bool is_file, const std::string& log) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (log == what || log == fs::absolute(what, error).lexically_normal().string()) return true;
  // A file of this host is meant as it is, also by another path that leads to it. Anything else may
  // be a log of another host, of which a person knows the name.
  return is_file ? log == fs::canonical(what, error).string()
                 : fs::path(log).filename().string() == what;
}

/// What the newest manifest of a log's run says.
void add_log(std::string& out, const NewestManifest& newest, const std::string& state) {
  const Manifest& manifest = newest.manifest;
  add_fact(out, "from", printable(fmt::format("{} on {}", manifest.log, manifest.host)));
  add_fact(out, "its extracts",
           fmt::format("run {}, the last that is known is number {}: {}", manifest.run,
                       manifest.sequence, printable(newest.name)));
  add_fact(out, "cut",
           fmt::format("{}, up to byte {} of inode {} there", time_for_people(manifest.cut),
                       manifest.last, manifest.inode));
  add_fact(out, "its state", state);
}

}  // namespace

Result<std::string> explain_left_alone(Ledger& ledger, const std::string& name) {
  CARAVEL_ASSIGN_OR_RETURN(const auto left_alone, ledger.drop_names().left_alone());
  for (const auto& [feed, names] : left_alone) {
    for (const LeftAlone& left : names) {
      // The ledger keeps names that senders chose in their printable form.
      if (left.name != printable(name)) continue;
      return fmt::format("{}: left alone in the drop directory of {}: it {}\n", shown(left.name),
                         feed, shown(left.why));
    }
  }
  return std::string();
}

std::string explain_manifest(Ledger& ledger, const Config& config, const std::string& file) {
  const auto name = manifest_in_archive(file);
  if (!name) return {};
  const std::string target(manifest_target(*name).value_or(""));
  std::string out;
  for (const FeedConfig& feed : config.feeds) {
    const auto manifests = manifests_of(ledger, feed.name, target);
    if (manifests.empty()) continue;
    out += fmt::format("{}: taken (feed {})\n", shown(*name), feed.name);
    out += explain_manifest_text(manifests.front());
    add_fact(out, "its extract",
             fmt::format("{}: {}", printable(target), state_of(ledger, feed.name, target)));
  }
  // A sender may repeat a bad manifest any number of times.
  constexpr std::size_t kMost = 10;
  for (const RefusedManifest& refused : refused_manifests(config.spool, kMost, *name).newest) {
    out += fmt::format("{}: refused\n", shown(*name));
    add_fact(out, "refused because", fmt::format("it {}", printable(refused.why)));
    add_fact(out, "since", time_for_people(refused.since));
    add_fact(out, "file", printable(config.spool + "/failed/" + refused.file));
  }
  return out;
}

std::string explain_missing(Ledger& ledger, const Config& config, const std::string& name,
                            Time now) {
  const auto sources = ledger.sources().all().value_or(std::vector<SourceStatus>());
  std::string out;
  for (const FeedConfig& feed : config.feeds) {
    const auto manifests = manifests_of(ledger, feed.name, name);
    if (manifests.empty()) {
      out += explain_gap(sources, feed.name, name, now);
    } else {
      out += fmt::format("{}: has not come, though its manifest has (feed {})\n", shown(name),
                         feed.name);
      out += explain_manifest_text(manifests.front());
    }
  }
  if (!out.empty()) return out;
  // Neither a gap nor a manifest of this name is in the ledger. A refused manifest would not be:
  // failed/ is its only record.
  const auto refusal = refusal_of_manifest(config.spool, manifest_name(name));
  if (!refusal) return {};
  return fmt::format("{}: has not come; its manifest came and was refused: it {}\n", shown(name),
                     shown(*refusal));
}

std::string explain_log(Ledger& ledger, const std::string& what, bool is_file, Time now) {
  const auto newest = ledger.manifests().newest_of_runs().value_or(std::vector<NewestManifest>());
  const auto sources = ledger.sources().all().value_or(std::vector<SourceStatus>());
  std::string out;
  for (const NewestManifest& one : newest) {
    if (!is_log(what, is_file, one.manifest.log)) continue;
    if (!out.empty()) out += '\n';
    out += fmt::format("{}: a log that is captured (feed {})\n", shown(what), one.feed);
    add_log(out, one, state_of(ledger, one.feed, one.name));
    add_gaps(out, sources, one.feed, one.manifest.run, now);
    add_fact(out, "its lines",
             fmt::format("`caravel explain {}` tells of the last, and so for each number",
                         printable(one.name)));
  }
  return out;
}

}  // namespace caravel::watcher
