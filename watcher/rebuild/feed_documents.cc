#include "watcher/rebuild/feed_documents.h"

#include <unistd.h>

#include <algorithm>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "uploader/store.h"
#include "watcher/ledger/salvage/salvage.h"
#include "watcher/ledger/stores.h"
#include "watcher/rebuild/archived_files.h"
#include "watcher/spool/claim.h"

namespace caravel::watcher {
namespace {

using nlohmann::json;

constexpr const char* kFromDocument = "recovered from its feed document";

std::string text_of_field(const json& document, const char* key) {
  const auto found = document.find(key);
  return found != document.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::uint64_t count_of_field(const json& document, const char* key) {
  const auto found = document.find(key);
  return found != document.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

/// "2012-03-09T10:00:00Z" or with milliseconds: what the uploader writes.
std::optional<Time> time_of_field(const json& document, const char* key) {
  std::string text = text_of_field(document, key);
  if (const auto time = parse_time_text(text)) return time;
  if (text.ends_with('Z')) text.insert(text.size() - 1, ".000");
  return parse_time_text(text);
}

/// The extract of a feed document; nothing if it is somebody else's document, or makes no sense.
std::optional<Extract> extract_of(const uploader::StoredDocument& stored, const FeedConfig& feed,
                                  Time now) {
  const json document = json::parse(stored.text, nullptr, false);
  if (!document.is_object() || text_of_field(document, "doc_type") != "Feed") return std::nullopt;
  Extract out;
  out.sha256 = text_of_field(document, "sha256");
  out.counts.lines = count_of_field(document, "lines");
  out.counts.rows = count_of_field(document, "rows");
  out.counts.dropped = count_of_field(document, "dropped");
  out.counts.rejected = count_of_field(document, "rejected");
  const std::uint64_t others = out.counts.dropped + out.counts.rejected;
  if (!is_hex(out.sha256, 64) || others > out.counts.lines) return std::nullopt;
  // Which of its rows were new to the store, nobody knows any more: all are there.
  out.counts.already_there = out.counts.lines - others;
  out.acknowledged = out.counts.rows;
  const Time at = time_of_field(document, "timestamp").value_or(now);
  out.claim = make_claim_id(at);
  out.feed = feed.name;
  out.name = text_of_field(document, "name");
  // No file of it is in the spool, as far as this document says: so it counts as loaded by hand.
  out.origin = Origin::process;
  out.state = State::done;
  out.why = kFromDocument;
  out.since = out.seen_at = at;
  out.claimed_at = out.done_at = at;
  out.format = text_of_field(document, "format");
  out.year_guessed = document.contains("year_guessed") && document["year_guessed"] != 0 &&
                     document["year_guessed"] != false;
  out.first_time = kAnyTimeFirst;
  out.last_time = kAnyTimeLast;
  out.store = feed.store;
  out.host = text_of_field(document, "host");
  return out;
}

/// Whether the extract is counted in the totals of its day already: it is remembered, or some that
/// ended on this day are forgotten, and it may be one of them. The document was written while it
/// was loaded, so that the day may be the next one.
Result<bool> is_folded(Sqlite& fresh, const Extract& extract) {
  const std::string from = time_text(*extract.done_at).substr(0, 10);
  const std::string to = time_text(*extract.done_at + std::chrono::days(1)).substr(0, 10);
  bool folded = false;
  CARAVEL_TRY(fresh.each(
      "SELECT 1 FROM remembered WHERE sha256 = ?1 AND feed = ?2 AND state = 'done' UNION ALL "
      "SELECT 1 FROM daily WHERE feed = ?2 AND day BETWEEN ?3 AND ?4 AND forgotten > 0",
      [&](const Statement&) { folded = true; }, extract.sha256, extract.feed, from, to));
  return folded;
}

/// An extract of this content that `fresh` knows: finished, if its row is an older one and its file
/// is gone from work/. The feed document goes last, so all of its rows are stored.
Result<bool> settle_known(Sqlite& fresh, const Extract& extract) {
  struct Known {
    std::int64_t id;
    bool open;
    std::string path;
  };
  std::vector<Known> all;
  CARAVEL_TRY(fresh.each(
      "SELECT id, state NOT IN ('done', 'failed'), path FROM extracts WHERE sha256 = ? AND feed = "
      "? "
      "AND state <> 'failed'",
      [&](const Statement& row) {
        all.push_back({row.integer(0), row.integer(1) != 0, row.text(2)});
      },
      extract.sha256, extract.feed));
  if (all.empty()) return is_folded(fresh, extract);
  for (const Known& known : all) {
    if (!known.open || ::access(known.path.c_str(), F_OK) == 0) continue;
    CARAVEL_TRY(fresh.run(
        "UPDATE extracts SET state = 'done', why = ?, done_at = since, next_try = NULL, "
        "already_there = lines - dropped - rejected - stored, acknowledged = rows WHERE id = ? AND "
        "lines >= dropped + rejected + stored",
        kFromDocument, known.id));
  }
  return true;
}

Result<> note_first_row(Sqlite& fresh, const FeedConfig& feed, const std::string& place, Time now) {
  CARAVEL_TRY(fresh.run(
      "INSERT INTO stores (place, name, first_row_at, state, since) VALUES (?1, ?2, ?3, 'ok', ?3) "
      "ON CONFLICT DO UPDATE SET first_row_at = coalesce(first_row_at, excluded.first_row_at)",
      place, feed.store, time_text(now)));
  return {};
}

}  // namespace

Result<RecoveredDocuments> recover_documents(const Config& config, Sqlite& fresh, Time now) {
  RecoveredDocuments out;
  for (const FeedConfig& feed : config.feeds) {
    const uploader::StoreConfig* const store = config.find_store(feed.store);
    if (store == nullptr) continue;
    Result<> written;
    bool any = false;
    const auto asked = uploader::make_store(*store)->for_each_feed_document(
        feed.name, [&](const uploader::StoredDocument& stored) {
          const auto extract = written ? extract_of(stored, feed, now) : std::nullopt;
          if (!extract) return;
          any = true;
          written = [&]() -> Result<> {
            CARAVEL_ASSIGN_OR_RETURN(const bool known, settle_known(fresh, *extract));
            if (known) return {};
            CARAVEL_ASSIGN_OR_RETURN(const bool entered, enter_extract(fresh, *extract));
            if (entered) ++out.extracts;
            return {};
          }();
        });
    if (!written) return tl::unexpected(std::move(written).error());
    if (any) CARAVEL_TRY(note_first_row(fresh, feed, store_place(*store), now));
    if (!asked) out.unasked.push_back(fmt::format("feed {}: {}", feed.name, asked.error().message));
  }
  return out;
}

}  // namespace caravel::watcher
