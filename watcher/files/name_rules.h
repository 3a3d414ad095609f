// What a name in a drop directory means, before the file behind it is looked at. Pure. The names
// are chosen by other people: anything may be in them.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace caravel::watcher {

/// The longest name that is taken. What we append to a name later (".reasons.csv", "~<8 hex>",
/// a counter) must still fit into NAME_MAX, 255 bytes.
inline constexpr std::size_t kMaxNameBytes = 200;

enum class NameKind {
  candidate,    // an extract of this feed, as far as a name can tell
  manifest,     // the manifest of an extract of this feed, see manifest_target()
  in_progress,  // a sender's or an editor's temporary name: the finished file has another one
  unmatched,    // left alone: the feed's `match` does not name it
  unusable,     // never taken: no valid UTF-8, control characters, too long
};

struct NameVerdict {
  NameKind kind = NameKind::unusable;
  std::string_view reason;  // in words, for `status`; empty for candidate and manifest. Static.
};

/// Judges one name by the feed's `match`, a glob (fnmatch(3), no flags) that is held against the
/// name without .gz or .zst; NAME.rejects, mended rejects of an extract, as NAME is. A manifest is
/// judged by the name of its extract.
[[nodiscard]] NameVerdict judge_name(std::string_view name, const std::string& match);

/// One path component that can stand for a file: not empty, no slash, no NUL, not "." or "..".
/// The check before any name goes into a system call, however it came to us.
[[nodiscard]] bool is_plain_name(std::string_view name);

/// The name without one .gz or .zst at its end.
[[nodiscard]] std::string_view base_name(std::string_view name);

/// The extract's name that a manifest's name speaks of: "a.log" for "a.log.manifest".
[[nodiscard]] std::optional<std::string_view> manifest_target(std::string_view name);

/// The first real date YYYY-MM-DD in a name that is no part of a longer run of digits
/// ("2012-02-30" is none, nor is what "12012-03-091" holds).
[[nodiscard]] std::optional<std::chrono::year_month_day> date_in_name(std::string_view name);

}  // namespace caravel::watcher
