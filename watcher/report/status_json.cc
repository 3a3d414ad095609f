// A StatusReport as JSON: `status --json`. Programs of users read it: names may be added, none may
// change its meaning.
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "watcher/report/status.h"

namespace caravel::watcher {
namespace {

// Ordered: the names come out in the order in which they are written here.
using Json = nlohmann::ordered_json;

Json json_time(const std::optional<Time>& time) {
  return time ? Json(time_text(*time)) : Json(nullptr);
}

/// In seconds; negative if the clock was set back since.
Json json_age(Time now, Time then) {
  return std::chrono::duration_cast<std::chrono::seconds>(now - then).count();
}

Json json_counts(const LineCounts& counts) {
  return {{"lines", counts.lines},      {"rows", counts.rows},
          {"stored", counts.stored},    {"already_there", counts.already_there},
          {"dropped", counts.dropped},  {"rejected", counts.rejected},
          {"failed", counts.failed},    {"differs", counts.differs},
          {"replaced", counts.replaced}};
}

Json json_throughput(const Throughput& throughput) {
  return {
      {"extracts", throughput.extracts}, {"rows", throughput.rows}, {"bytes", throughput.bytes}};
}

/// Names and reasons stand as the ledger has them: dump() escapes what JSON cannot hold (RFC 8259,
/// section 7).
Json json_extract(const Extract& extract, Time now) {
  return {{"feed", extract.feed},
          {"name", extract.name},
          {"claim", extract.claim},
          {"state", name_of(extract.state)},
          {"why", extract.why},
          {"since", time_text(extract.since)},
          {"seen_at", time_text(extract.seen_at)},
          {"age_seconds", json_age(now, extract.seen_at)},
          {"attempts", extract.attempts},
          {"next_try", json_time(extract.next_try)},
          {"sha256", extract.sha256},
          {"path", extract.path}};
}

/// Every state has its number, also one that no extract is in: a program need not ask which names
/// are there.
Json json_feed(const FeedStatus& feed, Time now) {
  const FeedSummary& summary = feed.summary;
  Json extracts = Json::object();
  for (const State state : {State::seen, State::waiting, State::claimed, State::formatted,
                            State::uploading, State::done, State::failed}) {
    const auto found = summary.extracts.find(state);
    extracts[std::string(name_of(state))] = found == summary.extracts.end() ? 0 : found->second;
  }
  Json out = {{"name", feed.name},
              {"configured", feed.configured},
              {"extracts", extracts},
              {"open_failures", summary.open_failures},
              {"counts", json_counts(summary.counts)},
              {"years_guessed", summary.years_guessed},
              {"bytes", summary.bytes},
              {"retries", summary.retries},
              {"last_hour", json_throughput(feed.last_hour)},
              {"last_day", json_throughput(feed.last_day)},
              {"last_claim", json_time(summary.last_claim)},
              {"lag_seconds", 0},
              {"oldest_open", nullptr}};
  if (summary.oldest_open) {
    out["lag_seconds"] = json_age(now, summary.oldest_open->seen_at);
    out["oldest_open"] = json_extract(*summary.oldest_open, now);
  }
  return out;
}

/// Their files: `files` and ".rejects", ".reasons.csv", ".cut".
Json json_rejects(const RejectsStatus& rejects) {
  const Extract& extract = rejects.extract;
  return {{"feed", extract.feed},
          {"name", extract.name},
          {"done_at", json_time(extract.done_at)},
          {"lines", extract.counts.lines},
          {"rejected", extract.counts.rejected},
          {"many", rejects.many()},
          {"files", rejects.files}};
}

Json json_store(const StoreRecord& store) {
  const bool used = store.since != Time{};  // the ledger has a row of it
  return {{"name", store.name},
          {"place", store.place},
          {"state", used ? name_of(store.state) : "unused"},
          {"why", store.why},
          {"since", used ? Json(time_text(store.since)) : Json(nullptr)},
          {"next_try", json_time(store.next_try)},
          {"first_row_at", json_time(store.first_row_at)}};
}

/// One object for each of the items.
template <class Items, class Convert>
Json json_list(const Items& items, Convert convert) {
  Json out = Json::array();
  for (const auto& item : items) out.push_back(convert(item));
  return out;
}

/// `gaps` holds at most Sources::kMaxGaps of them; `gaps_total` is the number of all.
Json json_source(const ReportedSource& reported, Time now) {
  const SourceStatus& source = reported.status;
  const bool came = source.last_at != Time{};  // else it is known only from files loaded by hand
  const auto gap_of = [&](const SequenceGap& gap) -> Json {
    return {{"first", gap.first},
            {"last", gap.last},
            {"since", time_text(gap.since)},
            {"age_seconds", json_age(now, gap.since)}};
  };
  return {
      {"feed", source.run.feed},
      {"source", source.run.source},
      {"run", source.run.run},
      {"replaced", source.replaced},
      {"forgotten", reported.forgotten},
      {"last_sequence", source.last_sequence},
      {"first_at", source.first_at != Time{} ? Json(time_text(source.first_at)) : Json(nullptr)},
      {"last_at", came ? Json(time_text(source.last_at)) : Json(nullptr)},
      {"age_seconds", came ? json_age(now, source.last_at) : Json(nullptr)},
      {"gaps", json_list(source.gaps, gap_of)},
      {"gaps_total", source.gaps_total}};
}

Json json_silent(const SilentSource& silent, Time now) {
  return {{"feed", silent.feed},
          {"source", silent.source},
          {"run", silent.run},
          {"last_at", time_text(silent.last_at)},
          {"age_seconds", json_age(now, silent.last_at)}};
}

Json json_open_manifest(const OpenManifest& manifest, Time now) {
  return {{"feed", manifest.feed},
          {"name", manifest.name},
          {"since", time_text(manifest.since)},
          {"age_seconds", json_age(now, manifest.since)}};
}

Json json_refused_manifest(const RefusedManifest& manifest, Time now) {
  return {{"name", manifest.file},
          {"why", manifest.why},
          {"since", time_text(manifest.since)},
          {"age_seconds", json_age(now, manifest.since)}};
}

Json json_left_alone(const LeftAloneStatus& entry) {
  return {{"feed", entry.feed},
          {"name", entry.name.name},
          {"why", entry.name.why},
          {"since", time_text(entry.name.since)}};
}

Json json_drop(const DropStatus& drop) {
  return {{"feed", drop.feed},
          {"path", drop.path},
          {"state", drop.state},
          {"why", drop.why},
          {"since", json_time(drop.since)}};
}

Json json_capture(const std::pair<std::string, std::string>& capture) {
  return {{"feed", capture.first}, {"by", capture.second}};
}

Json json_disk(const DiskRoom& disk) {
  return {{"what", disk.what},       {"path", disk.path},          {"free_bytes", disk.free},
          {"size_bytes", disk.size}, {"needed_bytes", disk.least}, {"full", !disk.full.empty()}};
}

/// `full_disks`, in words.
Json json_full_disks(const std::vector<DiskRoom>& disks) {
  Json out = Json::array();
  for (const DiskRoom& disk : disks) {
    if (!disk.full.empty()) out.push_back(disk.full);
  }
  return out;
}

Json json_overfull(const OverfullRecord& full) {
  return {{"path", full.spool + "/" + full.folder.folder},
          {"bytes", full.folder.bytes},
          {"max_bytes", full.folder.most},
          {"since", time_text(full.since)}};
}

Json json_health(const Health& health) {
  const auto problem_of = [](const Problem& problem) -> Json {
    return {{"level", name_of(problem.level)},
            {"kind", problem.kind},
            {"ready", problem.ready},
            {"text", problem.text}};
  };
  return {{"level", name_of(health.level())},
          {"ready", health.ready()},
          {"problems", json_list(health.problems, problem_of)}};
}

/// Cuts every text in it that is longer than a text for people should be: names and reasons come
/// from senders and servers, and so do their lengths.
void bound_texts(Json& value) {
  if (value.is_string()) {
    constexpr std::size_t kMost = 1000;
    auto& text = value.get_ref<std::string&>();
    if (text.size() > kMost) text = shown(text, kMost);
  }
  if (!value.is_structured()) return;
  for (Json& part : value) bound_texts(part);
}

}  // namespace

std::string status_json(const StatusReport& report) {
  /// For a function that needs to know the time of the report.
  const auto with_now = [&](auto convert) {
    return [&report, convert](const auto& item) { return convert(item, report.now); };
  };
  const RefusedManifests& refused = report.refused_manifests;
  // `watched_by` is null where nobody watches, so that a program need not know our words for it.
  Json out = {
      {"now", time_text(report.now)},
      {"watched_by", report.lock_holder.empty() ? Json(nullptr) : Json(report.lock_holder)},
      {"worked_at", json_time(report.worked_at)},
      {"captured_by", json_list(report.captures, json_capture)},
      {"feeds", json_list(report.feeds, with_now(json_feed))},
      {"drop_directories", json_list(report.drops, json_drop)},
      {"full_disks", json_full_disks(report.disks)},
      {"disks", json_list(report.disks, json_disk)},
      {"overfull_folders", json_list(report.overfull, json_overfull)},
      {"stores", json_list(report.stores, json_store)},
      {"waiting", json_list(report.waiting, with_now(json_extract))},
      {"waiting_total", report.waiting_total},
      {"failed", json_list(report.failed, with_now(json_extract))},
      {"failed_total", report.failed_total},
      {"rejects", json_list(report.rejects, json_rejects)},
      {"left_alone", json_list(report.left_alone, json_left_alone)},
      {"left_alone_total", report.left_alone_total},
      {"sources", json_list(report.sources, with_now(json_source))},
      {"silent", json_list(report.silent, with_now(json_silent))},
      {"manifests_without_extract", json_list(report.overdue.newest, with_now(json_open_manifest))},
      {"manifests_without_extract_total", report.overdue.total},
      {"refused_manifests", json_list(refused.newest, with_now(json_refused_manifest))},
      {"refused_manifests_total", refused.total},
      {"health", json_health(report.health)}};
  bound_texts(out);
  // A name left alone may be no UTF-8 at all: dump() would throw without `replace`. Only ASCII
  // comes out (`true`), with \u for everything else: on a terminal nothing of it is a command, and
  // to a program it is the same text.
  return out.dump(2, ' ', true, Json::error_handler_t::replace) + "\n";
}

}  // namespace caravel::watcher
