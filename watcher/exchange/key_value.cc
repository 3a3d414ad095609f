#include "watcher/exchange/key_value.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace caravel::watcher {
namespace {

using std::chrono::milliseconds;

/// What stands for itself in a value, beside letters and digits: so that paths and times can be
/// read by people.
constexpr std::string_view kPlain = "._/:@+,-";

/// [a-z][a-z0-9_]*, at most 64 bytes.
bool is_key(std::string_view text) {
  if (text.empty() || text.size() > 64 || text[0] < 'a' || text[0] > 'z') return false;
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return is_digit(c) || c == '_' || (c >= 'a' && c <= 'z'); });
}

/// Whether `c` is one of C0 or DEL. encode_value() writes ASCII only; whether other bytes are
/// allowed is judged by whoever reads the value.
bool is_ascii_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

/// `value` below 100, with a zero in front if need be.
std::string two_digits(unsigned value) {
  return {static_cast<char>('0' + value / 10 % 10), static_cast<char>('0' + value % 10)};
}

/// The number in text[at, at + size), all of it digits.
std::optional<unsigned> digits_at(std::string_view text, std::size_t at, std::size_t size) {
  unsigned value = 0;
  for (const char c : text.substr(at, size)) {
    if (!is_digit(c)) return std::nullopt;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  return value;
}

}  // namespace

Result<std::vector<KeyValue>> parse_key_values(std::string_view text, bool sections) {
  std::vector<KeyValue> lines;
  std::size_t section = 0;  // where the current section begins in `lines`
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto bad = [number](std::string_view what) {
      return fail(ErrorKind::content, "line " + std::to_string(number) + ": " + std::string(what));
    };
    const std::size_t end = text.find('\n');
    // The agent ends each line: a text without a last line end was cut off on its way.
    if (end == std::string_view::npos) return bad("has no line end (cut off?)");
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (std::any_of(line.begin(), line.end(), is_ascii_control))
      return bad("holds a control character");
    if (line.empty() && sections) {
      lines.push_back({number, {}, {}});
      section = lines.size();
      continue;
    }
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos || !is_key(line.substr(0, equals))) {
      return bad("is not key=value");
    }
    // The first '=' ends the key, which cannot hold one; the value may.
    const KeyValue entry{number, line.substr(0, equals), line.substr(equals + 1)};
    for (std::size_t i = section; i < lines.size(); ++i) {
      if (lines[i].key == entry.key) return bad(std::string(entry.key) + ": given twice");
    }
    // The search above takes time by the square of the number of keys. No agent writes so many, and
    // a text of an enemy's must not keep the loading host busy.
    if (lines.size() - section >= 256) return bad("is one too many (256 keys at most)");
    lines.push_back(entry);
  }
  return lines;
}

void append_key_value(std::string_view key, std::string_view value, std::string& out) {
  out.append(key);
  out += '=';
  out.append(value);
  out += '\n';
}

std::string encode_value(std::string_view bytes) { return percent_encode(bytes, kPlain); }

std::optional<std::string> decode_value(std::string_view text) {
  return percent_decode(text, kPlain);
}

std::optional<std::uint64_t> parse_whole_number(std::string_view text) {
  // A number has one spelling, without zeros in front: the sequence of an extract is also a part of
  // its name, and one extract must not have two names.
  if (text.empty() || !is_digit(text[0]) || (text[0] == '0' && text.size() > 1)) {
    return std::nullopt;
  }
  std::uint64_t value = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (status != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string format_utc(std::chrono::system_clock::time_point time) {
  // A clock that was never set may say any year. parse_utc() takes years 1970 to 2200, so the
  // nearest time within them is written: a wrong clock must not make a manifest that is refused.
  constexpr std::chrono::sys_time<milliseconds> kFirst{};
  constexpr std::chrono::sys_time<milliseconds> kLast =
      std::chrono::sys_days(std::chrono::year(2201) / 1 / 1) - milliseconds(1);
  // floor, not a cast: a cast rounds times before 1970 upwards.
  const auto whole = std::clamp(std::chrono::floor<milliseconds>(time), kFirst, kLast);
  const auto day = std::chrono::floor<std::chrono::days>(whole);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(whole - day);
  const auto unsigned_of = [](auto count) { return static_cast<unsigned>(count); };
  const unsigned fraction = unsigned_of(clock.subseconds().count());
  return std::to_string(static_cast<int>(date.year())) + "-" +
         two_digits(static_cast<unsigned>(date.month())) + "-" +
         two_digits(static_cast<unsigned>(date.day())) + "T" +
         two_digits(unsigned_of(clock.hours().count())) + ":" +
         two_digits(unsigned_of(clock.minutes().count())) + ":" +
         two_digits(unsigned_of(clock.seconds().count())) + "." +
         static_cast<char>('0' + fraction / 100) + two_digits(fraction % 100) + "Z";
}

std::optional<std::chrono::system_clock::time_point> parse_utc(std::string_view text) {
  // Not strptime(3), which reads by the locale and takes "3" where "03" is written. Two lengths are
  // allowed: without a fraction, and with one of three digits.
  const bool fraction = text.size() == 24;
  if (text.size() != 20 && !fraction) return std::nullopt;
  if (text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' || text[16] != ':' ||
      (fraction && text[19] != '.') || text.back() != 'Z') {
    return std::nullopt;
  }
  const auto year = digits_at(text, 0, 4);
  const auto month = digits_at(text, 5, 2);
  const auto day = digits_at(text, 8, 2);
  const auto hour = digits_at(text, 11, 2);
  const auto minute = digits_at(text, 14, 2);
  const auto second = digits_at(text, 17, 2);
  const auto millis = fraction ? digits_at(text, 20, 3) : 0U;
  if (!year || !month || !day || !hour || !minute || !second || !millis) return std::nullopt;
  const std::chrono::year_month_day date(std::chrono::year(static_cast<int>(*year)),
                                         std::chrono::month(*month), std::chrono::day(*day));
  // A date that does not exist (30 February) is no date; ok() knows leap years.
  if (!date.ok() || *year < 1970 || *year > 2200) return std::nullopt;
  // No leap seconds: the capture host's system clock has none (time(2)).
  if (*hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
         std::chrono::seconds(*second) + milliseconds(*millis);
}

}  // namespace caravel::watcher
