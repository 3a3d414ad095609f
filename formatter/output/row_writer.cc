#include "formatter/output/row_writer.h"

#include <charconv>

#include <fmt/format.h>

#include "formatter/patterns/captures.h"
#include "formatter/rows/csv.h"
#include "formatter/rows/sidecar.h"

namespace caravel::formatter {
namespace {

/// Seconds since 1970 of a date and a time whose zone lies `offset_minutes` east of UTC.
std::int64_t utc_seconds(std::uint32_t date, std::string_view time, int offset_minutes) {
  const std::chrono::sys_days day(std::chrono::year_month_day(
      std::chrono::year(static_cast<int>(packed_year(date))),
      std::chrono::month(packed_month(date)), std::chrono::day(packed_day(date))));
  const std::int64_t seconds = std::int64_t{two_digits(time.data())} * 3600 +
                               std::int64_t{two_digits(time.data() + 3)} * 60 +
                               std::int64_t{two_digits(time.data() + 6)};
  return day.time_since_epoch().count() * std::int64_t{86400} + seconds -
         std::int64_t{offset_minutes} * 60;
}

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

/// A part of something that is long enough to read kCopiedAtOnce bytes from any place of it, as the
/// line is. Behind `at` as many are writable.
char* put_part(std::string_view text, char* at) {
  if (text.size() > kCopiedAtOnce) return put(text, at);
  std::memcpy(at, text.data(), kCopiedAtOnce);
  return at + text.size();
}

}  // namespace

std::string_view undouble_quotes(const Capture& capture, std::string& scratch) {
  if ((capture.number & kDoubledQuotes) == 0) return capture.text();
  scratch.clear();
  for (const char* p = capture.begin; p < capture.end; ++p) {
    scratch.push_back(*p);
    if (*p == '"') ++p;
  }
  return scratch;
}

void append_timestamp(std::string_view timestamp, std::string& out) {
  // Parsed before, so the shape is known: 10 bytes of date, one between, 8 of time, the rest.
  const std::string_view date = timestamp.substr(0, 10);
  std::string_view time = timestamp.substr(11);
  const std::size_t zone = time.find_first_of("Z+-");
  if (zone == std::string_view::npos) {
    append_compact_time(date, time, out);
    return;
  }
  int minutes = 0;
  const std::string zone_text = std::string(time.substr(zone)) + '\n';
  if (parse_offset(zone_text.data(), minutes) == nullptr) minutes = 0;
  time = time.substr(0, zone);
  const unsigned year = two_digits(date.data()) * 100 + two_digits(date.data() + 2);
  const std::uint32_t packed =
      pack_date(year, two_digits(date.data() + 5), two_digits(date.data() + 8));
  append_utc_time(utc_seconds(packed, time, minutes),
                  time.size() > 9 ? time.substr(9) : std::string_view(), out);
}

void append_epoch(std::string_view text, bool milliseconds, std::string& out) {
  std::int64_t whole = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), whole);
  std::string_view fraction = text.substr(static_cast<std::size_t>(end - text.data()));
  if (!fraction.empty()) fraction.remove_prefix(1);
  char thousandths[4] = {};
  if (milliseconds) {
    std::int64_t rest = whole % 1000;
    whole /= 1000;
    if (rest < 0) {
      rest += 1000;
      --whole;
    }
    for (int i = 2; i >= 0; --i) {
      thousandths[i] = static_cast<char>('0' + rest % 10);
      rest /= 10;
    }
    fraction = {thousandths, 3};
  }
  append_utc_time(whole, fraction, out);
}

std::string_view RowWriter::iso_date(std::uint32_t packed) {
  if (packed != date_) {
    fmt::format_to_n(date_text_, kDateSize, "{:04}-{:02}-{:02}", packed_year(packed),
                     packed_month(packed), packed_day(packed));
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
      if (capture.number == 0) return put_part(capture.text(), at);
      scratch_csv_.clear();
      append_csv_field(undouble_quotes(capture, scratch_), scratch_csv_);
      return put(scratch_csv_, at);
    case Emit::implied: {
      // The point is moved as text: no digit is changed by a float.
      const std::size_t whole = rule.digits + std::size_t{*capture.begin == '-'};
      const std::string_view text = capture.text();
      at = put_part(text.substr(0, whole), at);
      *at++ = '.';
      return put_part(text.substr(whole), at);
    }
    case Emit::iso_date:
      return put_part(iso_date(capture.number), at);
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
      int minutes = 0;
      (void)parse_offset(match.captures[*rule.offset].begin, minutes);
      append_utc_time(utc_seconds(date, time, minutes),
                      time.size() > 9 ? time.substr(9) : std::string_view(), id_);
      break;
    }
    case TimeRule::Source::timestamp:
      append_timestamp(match.captures[rule.date].text(), id_);
      break;
    case TimeRule::Source::epoch_seconds:
    case TimeRule::Source::epoch_milliseconds:
      append_epoch(match.captures[rule.date].text(),
                   rule.source == TimeRule::Source::epoch_milliseconds, id_);
      break;
  }
}

void RowWriter::note_time(std::string_view time) {
  if (first_time_.empty() || time < first_time_) first_time_ = time;
  if (time > last_time_) last_time_ = time;
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
  const std::size_t most = kind.most_added + 2 * line.size() + kCopiedAtOnce;
  if (record_.size() < most) record_.resize(most);
  char* at = record_.data();
  for (const ColumnRule& rule : kind.columns) {
    at = put_column(rule, match, at);
    *at++ = ',';
  }
  at[-1] = '\n';
  const auto length = static_cast<std::size_t>(at - record_.data()) - 1;
  csv_.buffer().append(record_.data(), length + 1);
  csv_.settle();
  if (sidecar_.discards()) return;

  id_.clear();
  append_time(kind.time, match, place);
  if (kind.time.source != TimeRule::Source::none) note_time(id_);
  finish_id(kind.key ? undouble_quotes(match.captures[*kind.key], scratch_) : std::string_view(),
            line, place);
  append_sidecar_row(place.line, place.offset, kind_index, length, id_, sidecar_.buffer());
  sidecar_.settle();
}

void RowWriter::write_record(std::string_view record, std::string_view time, std::string_view key,
                             std::string_view line, const LinePlace& place) {
  csv_.buffer().append(record);
  csv_.buffer().push_back('\n');
  csv_.settle();
  if (sidecar_.discards()) return;
  id_.clear();
  if (time.empty()) {
    append_place(first_line_, place.log_offset, id_);
  } else {
    id_.append(time);
    note_time(id_);
  }
  finish_id(key, line, place);
  append_sidecar_row(place.line, place.offset, 0, record.size(), id_, sidecar_.buffer());
  sidecar_.settle();
}

}  // namespace caravel::formatter
