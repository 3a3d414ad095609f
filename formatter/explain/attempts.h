// A line that no kind of a format matches: how far each of them came.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "formatter/explain/styled_text.h"
#include "formatter/formats/format.h"
#include "formatter/patterns/year.h"

namespace caravel::formatter {

/// The attempts of all kinds on one line. Kinds that wanted the same at the same place count as one
/// attempt.
class Attempts {
 public:
  /// `line` is trimmed, and must outlive the attempts; nothing behind it is read. `ahead`: so many
  /// bytes of blanks the reason counts before it.
  Attempts(const Format& format, const YearTable& years, std::string_view line, std::size_t ahead);

  /// The reason of the reject, if it is for the kinds to refuse the line; "" if one of them takes
  /// it.
  [[nodiscard]] const std::string& reason() const { return reason_; }

  /// The line, or what of it is around the furthest place, and below it a caret for each attempt
  /// with what was wanted there and what was found; the furthest first.
  void append_to(std::size_t width, StyledText& out) const;

 private:
  struct Attempt {
    std::size_t at = 0;  // byte of the line
    std::string wanted;
    std::vector<std::string> kinds;
  };

  [[nodiscard]] std::string found_at(std::size_t at) const;

  std::string_view line_;
  std::string reason_;
  std::vector<Attempt> attempts_;
};

}  // namespace caravel::formatter
