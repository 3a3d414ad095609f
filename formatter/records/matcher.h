// A line against the kinds of a format, in order.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "formatter/formats/format.h"

namespace caravel::formatter {

/// Where the kind that came furthest along a line failed: what a reject is told by.
struct Furthest {
  const char* at = nullptr;
  MatchState::Wanted wanted = MatchState::Wanted::value;
  std::size_t kind = 0;
  std::size_t op = 0;
  bool gave_up = false;  // not all ends of its texts were tried

  /// What it wanted there, in bytes from `line_begin`.
  [[nodiscard]] std::string reason(const Format& format, const char* line_begin) const;
  /// The reason ahead of the number, and behind it.
  [[nodiscard]] std::pair<std::string, std::string> words(const Format& format) const;
};

/// Tries the kinds of one format on line after line. Kinds whose patterns begin alike are not
/// matched from the start again. All ends that the texts of a kind may have are tried before the
/// next kind is (later_ends.h).
class Matcher {
 public:
  Matcher(const Format& format, const YearTable& years) : format_(format), years_(years) {}

  /// The index of the first kind that matches, or nothing. `*end` must be '\n', with
  /// kReadableBehind.
  [[nodiscard]] std::optional<std::uint32_t> match(const char* begin, const char* end);

  /// The captures of the kind that matched.
  [[nodiscard]] const MatchState& state() const { return state_; }

  /// Lets the capture go on to `end`: of a record that spans lines, whose first line matched.
  void extend_capture(std::uint8_t capture, const char* end) {
    state_.captures[capture].end = end;
    state_.captures[capture].number = kNeedsQuotes;
  }

  /// Why the last line matched no kind.
  [[nodiscard]] std::string reason(const char* line_begin) const {
    return furthest_.reason(format_, line_begin);
  }

 private:
  /// Whether kind `index`, whose op `failed` did not match, matches with a text that ends later.
  [[gnu::noinline, gnu::cold]] bool match_later(std::size_t index, std::size_t failed,
                                                const char* end);

  const Format& format_;
  const YearTable& years_;
  MatchState state_;
  Furthest furthest_;
};

/// The line without blanks at its ends and without the CR of a CR LF.
[[nodiscard]] std::string_view trim_line(std::string_view line);

/// Whether `line` (without its LF) is a row or a dropped line of `format`.
[[nodiscard]] bool takes_line(const Format& format, std::string_view line, const YearTable& years);

}  // namespace caravel::formatter
