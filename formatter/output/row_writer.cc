#include "formatter/output/row_writer.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "formatter/output/pieced_time.h"
#include "formatter/patterns/parsers.h"
#include "formatter/rows/csv.h"
#include "formatter/rows/row_time.h"
#include "formatter/rows/sidecar.h"

namespace caravel::formatter {
namespace {

constexpr std::size_t kDateSize = 10;  // YYYY-MM-DD

/// Copying so many bytes is cheaper than asking how many there are.
constexpr std::size_t kCopiedAtOnce = 16;
static_assert(kCopiedAtOnce <= kReadableBehind);

char* put(std::string_view text, char* at) {
  if (text.size() == 1) {  // a flag, mostly
    *at = text.front();
  } else {
    std::memcpy(at, text.data(), text.size());
  }
  return at + text.size();
}

/// Copies a part of a longer text, such as a line. At least kCopiedAtOnce bytes must be readable
/// from the beginning of `text` on, and as many must be writable at `at`.
char* put_part(std::string_view text, char* at) {
  if (text.size() > kCopiedAtOnce) return put(text, at);
  std::memcpy(at, text.data(), kCopiedAtOnce);
  return at + text.size();
}

char to_lower_case(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// The rare ways of writing are calls: inlined into put_column(), they make it save more registers
// for each column of each row, a quarter more instructions.
[[gnu::noinline]] char* put_lower_case(std::string_view text, char* at) {
  return std::transform(text.begin(), text.end(), at, to_lower_case);
}

/// The text of a capture without the doubling of quotes, which is undone in `scratch` if need be.
[[gnu::noinline]] std::string_view undouble_quotes(const Capture& capture, std::string& scratch) {
  if ((capture.number & kDoubledQuotes) == 0) return capture.text();
  scratch.clear();
  // Of each pair of quotes the first is kept: the parser has seen to it that they come in pairs.
  for (const char* p = capture.begin; p < capture.end; ++p) {
    scratch.push_back(*p);
    if (*p == '"') ++p;
  }
  return scratch;
}

}  // namespace

std::string_view RowWriter::iso_date(std::uint32_t packed) {
  // Most lines of a log have the date of the line before, so the text of the last date is kept.
  if (packed != date_) {
    const std::string text = fmt::format("{:04}-{:02}-{:02}", packed_year(packed),
                                         packed_month(packed), packed_day(packed));
    text.copy(date_text_, kDateSize);
    date_ = packed;
  }
  return {date_text_, kDateSize};
}

char* RowWriter::put_column(const ColumnRule& rule, const MatchState& match, char* at) {
  const Capture& capture = match.captures[rule.capture];
  switch (rule.emit) {
    case Emit::nothing:
      break;
    case Emit::constant:
      return put(rule.constant, at);
    case Emit::plain:
      return put_part(capture.text(), at);
    case Emit::textual:
      // The parser found nothing that CSV would quote, as in nearly every value.
      if (capture.number == 0) return put_part(capture.text(), at);
      scratch_csv_.clear();
      append_csv_field(undouble_quotes(capture, scratch_), scratch_csv_);
      return put(scratch_csv_, at);
    case Emit::lower_case:
      return put_lower_case(capture.text(), at);
    case Emit::implied: {
      // The point is moved as text: no digit is changed by a float. The minus is not one of the
      // digits that are counted.
      const std::size_t whole = rule.digits + std::size_t{*capture.begin == '-'};
      const std::string_view text = capture.text();
      at = put_part(text.substr(0, whole), at);
      *at++ = '.';
      return put_part(text.substr(whole), at);
    }
    case Emit::iso_date:
      // date_text_ is longer than a date, so that put_part() may read behind it.
      return put_part(iso_date(capture.number), at);
    case Emit::iso_time:
      return put(iso_text(rule.times.front(), capture), at);
    case Emit::option:
      return put(rule.values[capture.number], at);
  }
  return at;
}

void RowWriter::append_time(const TimeRule& rule, const MatchState& match, const LinePlace& place) {
  switch (rule.source) {
    case TimeRule::Source::none:
      append_place(first_line_, place.log_offset, id_);
      break;
    case TimeRule::Source::date_time: {
      const std::uint32_t date = match.captures[rule.date].number;
      const std::string_view time = match.captures[rule.time].text();
      if (!rule.offset) {
        append_compact_time(iso_date(date), time, id_);
        break;
      }
      // Matching has checked the offset already, so it cannot fail here.
      int minutes = 0;
      (void)parse_offset(match.captures[*rule.offset].begin, minutes);
      append_zoned_time(date, time, minutes, id_);
      break;
    }
    case TimeRule::Source::timestamp:
      if ((match.captures[rule.date].number & kOtherIsoForm) == 0) {
        append_timestamp(match.captures[rule.date].text(), id_);
        break;
      }
      [[fallthrough]];
    case TimeRule::Source::pieces:
      // Not skipped: the formatter has asked was_skipped() where that can be.
      (void)append_parts(parts_of(rule, match), rule.zone, id_);
      break;
    case TimeRule::Source::epoch_seconds:
    case TimeRule::Source::epoch_milliseconds:
      append_epoch(match.captures[rule.date].text(),
                   rule.source == TimeRule::Source::epoch_milliseconds, id_);
      break;
  }
}

void RowWriter::note_time(std::string_view time) {
  // Most rows of a log have the time of the row before.
  if (time == noted_time_) return;
  noted_time_ = time;
  // Times of ids sort as text (row_time.h).
  if (first_time_.empty() || time < first_time_) first_time_ = time;
  if (time > last_time_) last_time_ = time;
}

std::string_view RowWriter::key_of(const Kind& kind, const MatchState& match) {
  if (!kind.key) return {};
  const Capture& capture = match.captures[*kind.key];
  // Frozen: the key is the text of the line, not the value that an option writes into the column.
  if (!kind.key_in_lower_case) return undouble_quotes(capture, scratch_);
  scratch_.resize(capture.text().size());
  put_lower_case(capture.text(), scratch_.data());
  return scratch_;
}

void RowWriter::finish_id(std::string_view key, std::string_view line, const LinePlace& place) {
  id_.push_back(':');
  append_id_part(key, id_);
  id_.push_back(':');
  append_hex(format_.identity == Identity::line
                 ? hash_bytes(line)
                 : hash_positioned(first_line_, place.log_offset, line),
             id_);
}

void RowWriter::write(const Kind& kind, std::uint32_t kind_index, const MatchState& match,
                      std::string_view line, const LinePlace& place) {
  // The most that a record can take: all of the line's bytes, each of them perhaps a doubled quote,
  // what does not come from the line, and what put_part() copies too much.
  const std::size_t most = kind.most_added + 2 * line.size() + kCopiedAtOnce;
  // Grown only, and thus only for lines longer than all before.
  if (record_.size() < most) record_.resize(most);
  char* at = record_.data();
  for (const ColumnRule& rule : kind.columns) {
    at = put_column(rule, match, at);
    *at++ = ',';
  }
  // A kept kind has one column at least (read_column_names()), so there is a comma to replace.
  at[-1] = '\n';  // the last comma
  const auto length = static_cast<std::size_t>(at - record_.data()) - 1;
  csv_.append({record_.data(), length + 1});
  csv_.settle();
  // Whoever wants the CSV only does not pay for hashing every line.
  if (has_sidecar()) write_sidecar(kind, kind_index, match, line, place, length);
}

void RowWriter::write_sidecar(const Kind& kind, std::uint32_t kind_index, const MatchState& match,
                              std::string_view line, const LinePlace& place, std::size_t length) {
  id_.clear();
  append_time(kind.time, match, place);
  // A place in the log that stands for the time must not become the time of an extract.
  if (kind.time.source != TimeRule::Source::none) note_time(id_);
  finish_id(key_of(kind, match), line, place);
  sidecar_.add_up_to(put_sidecar_row(place.line, place.offset, kind_index, length, id_,
                                     sidecar_.room(kMostSidecarNumbers + id_.size()), place.lines));
  sidecar_.settle();
}

void RowWriter::write_record(std::string_view record, std::string_view time, std::string_view key,
                             std::string_view line, const LinePlace& place) {
  char* const behind = put(record, csv_.room(record.size() + 1));
  *behind = '\n';
  csv_.add_up_to(behind + 1);
  csv_.settle();
  if (sidecar_.discards()) return;
  id_.clear();
  if (time.empty()) {  // a format without a time column
    append_place(first_line_, place.log_offset, id_);
  } else {
    id_.append(time);
    note_time(id_);
  }
  finish_id(key, line, place);
  sidecar_.add_up_to(put_sidecar_row(place.line, place.offset, 0, record.size(), id_,
                                     sidecar_.room(kMostSidecarNumbers + id_.size()), place.lines));
  sidecar_.settle();
}

}  // namespace caravel::formatter
