#include "watcher/files/name_rules.h"

#include <fnmatch.h>

#include <array>

#include <fmt/format.h>

#include "base/text.h"

namespace caravel::watcher {
namespace {

/// Why a name can never be taken; empty if it can. Names end up in JSON documents, in SQLite and in
/// messages: UTF-8 without control characters is what all of them take.
std::string_view why_unusable(std::string_view name) {
  if (!is_plain_name(name)) return "is not a file name";
  if (name.size() > kMaxNameBytes) return "has a name that is too long (over 200 bytes)";
  while (!name.empty()) {
    const std::size_t length = utf8_length(name);
    if (length == 0) return "has a name that is not valid UTF-8";
    if (is_control(name.substr(0, length))) return "has a control character in its name";
    name.remove_prefix(length);
  }
  return {};
}

/// Why a name is a sender's or an editor's temporary one; empty if it is none.
std::string_view why_in_progress(std::string_view name) {
  // rsync's .NAME.XXXXXX and .~tmp~/ are among them.
  if (name.front() == '.') return "is hidden (a temporary name of rsync?)";
  if (name.front() == '~') return "has a temporary name (~…)";
  if (name.size() > 1 && name.front() == '#' && name.back() == '#') {
    return "is an editor's unsaved text (#…#)";
  }
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kSuffixes{{
      {".part", "has a temporary name (….part)"},
      {".tmp", "has a temporary name (….tmp)"},
      {".filepart", "has a temporary name (….filepart)"},
      {"~", "is an editor's backup (…~)"},
  }};
  for (const auto& [suffix, reason] : kSuffixes) {
    if (name.ends_with(suffix)) return reason;
  }
  return {};
}

/// The number that the digits text[from, from + count) spell; nothing if one is no digit.
std::optional<int> digits(std::string_view text, std::size_t from, std::size_t count) {
  int value = 0;
  for (const char c : text.substr(from, count)) {
    if (!is_digit(c)) return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

}  // namespace

bool is_plain_name(std::string_view name) {
  return !name.empty() && name != "." && name != ".." &&
         name.find_first_of(std::string_view("/\0", 2)) == std::string_view::npos;
}

NameVerdict judge_name(std::string_view name, const std::string& match) {
  if (const auto why = why_unusable(name); !why.empty()) return {NameKind::unusable, why};
  // Before the pattern: `match: "*"` must not take a file that rsync is still writing.
  if (const auto why = why_in_progress(name); !why.empty()) return {NameKind::in_progress, why};

  // fnmatch(3) without flags: a `*` also takes a dot at the start, but such names are in progress.
  const auto target = manifest_target(name);
  std::string_view extract = target.value_or(name);
  const auto matches = [&] {
    return ::fnmatch(match.c_str(), std::string(base_name(extract)).c_str(), 0) == 0;
  };
  if (!matches()) {
    // What was rejected, mended, and dropped again, is the feed's as its extract was.
    constexpr std::string_view kRejects = ".rejects";
    if (!extract.ends_with(kRejects)) {
      return {NameKind::unmatched, "is not named by the feed's `match`"};
    }
    extract.remove_suffix(kRejects.size());
    if (!matches()) return {NameKind::unmatched, "is not named by the feed's `match`"};
  }
  return {target ? NameKind::manifest : NameKind::candidate, {}};
}

std::string_view base_name(std::string_view name) {
  // One suffix only, as one layer is unpacked: "a.log.gz.gz" is judged as "a.log.gz".
  for (const std::string_view suffix : {".gz", ".zst"}) {
    if (name.size() > suffix.size() && name.ends_with(suffix)) {
      name.remove_suffix(suffix.size());
      break;
    }
  }
  return name;
}

std::optional<std::string_view> manifest_target(std::string_view name) {
  constexpr std::string_view kSuffix = ".manifest";
  // The suffix alone names no extract.
  if (name.size() <= kSuffix.size() || !name.ends_with(kSuffix)) return std::nullopt;
  name.remove_suffix(kSuffix.size());
  return name;
}

std::optional<std::chrono::year_month_day> date_in_name(std::string_view name) {
  constexpr std::size_t kLength = 10;  // YYYY-MM-DD
  // The dashes first: they rule most places out.
  for (std::size_t i = 0; i + kLength <= name.size(); ++i) {
    if (name[i + 4] != '-' || name[i + 7] != '-') continue;
    // A longer run of digits is a number of something else.
    if (i > 0 && is_digit(name[i - 1])) continue;
    if (i + kLength < name.size() && is_digit(name[i + kLength])) continue;
    const auto year = digits(name, i, 4);
    const auto month = digits(name, i + 5, 2);
    const auto day = digits(name, i + 8, 2);
    if (!year || !month || !day) continue;
    const std::chrono::year_month_day date{std::chrono::year{*year},
                                           std::chrono::month{static_cast<unsigned>(*month)},
                                           std::chrono::day{static_cast<unsigned>(*day)}};
    // 2012-02-30 has the shape of a date and is no day: the search goes on.
    // Nor is a year of which the ledger, which counts nanoseconds, could not keep the time.
    if (date.ok() && *year >= 1678 && *year <= 2261) return date;
  }
  return std::nullopt;
}

}  // namespace caravel::watcher
