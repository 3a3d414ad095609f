#include "watcher/ledger/rows.h"

namespace caravel::watcher {

Time time_at(const Statement& row, int column) {
  // Times of sources are '' where only a person loaded extracts: they read as the epoch.
  return parse_time_text(row.text(column)).value_or(Time{});
}

std::optional<Time> optional_time_at(const Statement& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  return time_at(row, column);
}

std::optional<std::string> text_of(const std::optional<Time>& time) {
  return time ? std::optional(time_text(*time)) : std::nullopt;
}

void add_line_counts(const Statement& row, int column, LineCounts& sum) {
  // In the order of kExtractColumns, and of the sums in History::summaries().
  for (std::uint64_t* part : {&sum.lines, &sum.rows, &sum.dropped, &sum.rejected, &sum.stored,
                              &sum.already_there, &sum.differs, &sum.replaced, &sum.failed}) {
    *part += row.count(column++);
  }
}

Extract read_extract(const Statement& row) {
  Extract out;
  int column = 0;
  out.id = row.integer(column++);
  out.claim = row.text(column++);
  out.feed = row.text(column++);
  out.name = row.text(column++);
  // A word that this program does not know can only be of a damaged row. An extract that reads as
  // failed is shown to people, and nothing takes it up.
  out.origin = origin_of(row.text(column++)).value_or(Origin::drop);
  out.path = row.text(column++);
  out.state = state_of(row.text(column++)).value_or(State::failed);
  out.why = row.text(column++);
  out.since = time_at(row, column++);
  out.seen_at = time_at(row, column++);
  out.claimed_at = optional_time_at(row, column++);
  out.done_at = optional_time_at(row, column++);
  out.size = row.count(column++);
  out.mtime_ns = row.integer(column++);
  out.sha256 = row.text(column++);
  out.format = row.text(column++);
  out.time_used = row.text(column++);
  out.time_source = row.text(column++);
  out.year_guessed = row.integer(column++) != 0;
  add_line_counts(row, column, out.counts);
  // The nine columns that add_line_counts() has read.
  column += 9;
  out.acknowledged = row.count(column++);
  out.first_time = row.text(column++);
  out.last_time = row.text(column++);
  out.store = row.text(column++);
  out.done_path = row.text(column++);
  out.attempts = static_cast<unsigned>(row.count(column++));
  out.next_try = optional_time_at(row, column++);
  out.host = row.text(column++);
  out.settled = settled_of(row.text(column++)).value_or(Settled::open);
  out.settled_at = optional_time_at(row, column++);
  out.settled_why = row.text(column++);
  return out;
}

Error with_way_out(Error error) {
  // A damaged page of the schema shows as a table that is not there.
  const bool damaged = error.message.find(kDamagedDatabase) != std::string::npos ||
                       error.message.find("no such table") != std::string::npos ||
                       error.message.find("no such column") != std::string::npos;
  constexpr std::string_view kWayOut =
      "; stop what uses it, then `caravel ledger rebuild` makes a new one of all that can still be "
      "read, and keeps this one beside it";
  if (damaged && error.message.find(kWayOut) == std::string::npos) error.message += kWayOut;
  return error;
}

}  // namespace caravel::watcher
