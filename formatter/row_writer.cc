#include "formatter/row_writer.h"

#include <charconv>

#include "formatter/captures.h"
#include "formatter/csv.h"
#include "formatter/sidecar.h"

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
    const unsigned year = packed_year(packed);
    const auto digit = [](unsigned value) { return static_cast<char>('0' + value % 10); };
    const unsigned month = packed_month(packed);
    const unsigned day = packed_day(packed);
    const char text[10] = {digit(year / 1000),
                           digit(year / 100),
                           digit(year / 10),
                           digit(year),
                           '-',
                           digit(month / 10),
                           digit(month),
                           '-',
                           digit(day / 10),
                           digit(day)};
    std::memcpy(date_text_, text, sizeof text);
    date_ = packed;
  }
  return {date_text_, sizeof date_text_};
}

void RowWriter::append_column(const ColumnRule& rule, const MatchState& match) {
  std::string& out = csv_.buffer();
  const Capture& capture = match.captures[rule.capture];
  switch (rule.emit) {
    case Emit::nothing:
      break;
    case Emit::constant:
      out.append(rule.constant);
      break;
    case Emit::plain:
      out.append(capture.text());
      break;
    case Emit::textual:
      if (capture.number == 0) {
        out.append(capture.text());
      } else {
        append_csv_field(undouble_quotes(capture, scratch_), out);
      }
      break;
    case Emit::implied: {
      // The point is moved as text: no digit is changed by a float.
      const std::size_t whole = rule.digits + std::size_t{*capture.begin == '-'};
      const std::string_view text = capture.text();
      out.append(text.substr(0, whole));
      out.push_back('.');
      out.append(text.substr(whole));
      break;
    }
    case Emit::iso_date:
      out.append(iso_date(capture.number));
      break;
    case Emit::option:
      out.append(rule.values[capture.number]);
      break;
  }
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
  std::string& out = csv_.buffer();
  const std::size_t from = out.size();
  bool first = true;
  for (const ColumnRule& rule : kind.columns) {
    if (!first) out.push_back(',');
    first = false;
    append_column(rule, match);
  }
  const std::size_t length = out.size() - from;
  out.push_back('\n');
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
