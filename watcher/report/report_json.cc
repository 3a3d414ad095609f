// `status --json`.
#include <nlohmann/json.hpp>

#include "watcher/report/report.h"

namespace caravel::watcher {
namespace {

using Json = nlohmann::ordered_json;

Json json_time(const std::optional<Time>& time) {
  return time ? Json(time_text(*time)) : Json(nullptr);
}

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
              {"counts", json_counts(summary.counts)},
              {"years_guessed", summary.years_guessed},
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

Json json_store(const StoreRecord& store) {
  const bool used = store.since != Time{};
  return {{"name", store.name},
          {"place", store.place},
          {"state", used ? name_of(store.state) : "unused"},
          {"why", store.why},
          {"since", used ? Json(time_text(store.since)) : Json(nullptr)},
          {"next_try", json_time(store.next_try)},
          {"first_row_at", json_time(store.first_row_at)}};
}

Json json_source(const ReportedSource& reported, Time now) {
  const SourceStatus& source = reported.status;
  const bool came = source.last_at != Time{};  // not only by hand
  Json gaps = Json::array();
  for (const SequenceGap& gap : source.gaps) {
    gaps.push_back({{"first", gap.first},
                    {"last", gap.last},
                    {"since", time_text(gap.since)},
                    {"age_seconds", json_age(now, gap.since)}});
  }
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
      {"gaps", gaps},
      {"gaps_total", source.gaps_total}};
}

}  // namespace

std::string status_json(const StatusReport& report) {
  const Time now = report.now;
  Json out = {{"now", time_text(now)},
              {"watched_by", report.lock_holder.empty() ? Json(nullptr) : Json(report.lock_holder)},
              {"captured_by", Json::array()},
              {"feeds", Json::array()},
              {"stores", Json::array()},
              {"waiting", Json::array()},
              {"waiting_total", report.waiting_total},
              {"failed", Json::array()},
              {"failed_total", report.failed_total},
              {"left_alone", Json::array()},
              {"left_alone_total", report.left_alone_total},
              {"sources", Json::array()},
              {"silent", Json::array()},
              {"manifests_without_extract", Json::array()},
              {"manifests_without_extract_total", report.overdue.total},
              {"refused_manifests", Json::array()},
              {"refused_manifests_total", report.refused_manifests.total}};
  for (const auto& [feed, holder] : report.captures) {
    out["captured_by"].push_back({{"feed", feed}, {"by", holder}});
  }
  for (const ReportedSource& source : report.sources) {
    out["sources"].push_back(json_source(source, now));
  }
  for (const SilentSource& silent : report.silent) {
    out["silent"].push_back({{"feed", silent.feed},
                             {"source", silent.source},
                             {"run", silent.run},
                             {"last_at", time_text(silent.last_at)},
                             {"age_seconds", json_age(now, silent.last_at)}});
  }
  for (const OpenManifest& manifest : report.overdue.newest) {
    out["manifests_without_extract"].push_back({{"feed", manifest.feed},
                                                {"name", manifest.name},
                                                {"since", time_text(manifest.since)},
                                                {"age_seconds", json_age(now, manifest.since)}});
  }
  for (const RefusedManifest& manifest : report.refused_manifests.newest) {
    out["refused_manifests"].push_back({{"name", manifest.file},
                                        {"why", manifest.why},
                                        {"since", time_text(manifest.since)},
                                        {"age_seconds", json_age(now, manifest.since)}});
  }
  for (const FeedStatus& feed : report.feeds) out["feeds"].push_back(json_feed(feed, now));
  for (const StoreRecord& store : report.stores) out["stores"].push_back(json_store(store));
  for (const Extract& extract : report.waiting) {
    out["waiting"].push_back(json_extract(extract, now));
  }
  for (const Extract& extract : report.failed) {
    out["failed"].push_back(json_extract(extract, now));
  }
  for (const LeftAloneStatus& entry : report.left_alone) {
    out["left_alone"].push_back({{"feed", entry.feed},
                                 {"name", entry.name.name},
                                 {"why", entry.name.why},
                                 {"since", time_text(entry.name.since)}});
  }
  // A name left alone may be no UTF-8 at all; dump() would throw.
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace caravel::watcher
