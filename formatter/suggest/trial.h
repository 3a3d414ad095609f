// A suggested format, loaded and run over the sample as any other format would be.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "formatter/formats/format.h"

namespace caravel::formatter {

struct Trial {
  /// A line that no kind takes.
  struct Missed {
    std::uint64_t line = 0;  // from 1
    std::string reason;
    std::string text;  // its beginning
  };
  struct Kind {
    std::string name;
    std::uint64_t rows = 0;
    std::uint64_t first = 0;  // the line of its first row, from 1; 0 without one
  };
  std::uint64_t lines = 0;  // that are not blank
  std::uint64_t taken = 0;
  std::vector<Kind> kinds;     // in the format's order
  std::vector<Missed> missed;  // the first few
  std::string first_time;      // as in the ids; "" without rows
  std::string last_time;

  [[nodiscard]] bool takes(std::uint64_t percent) const { return taken * 100 >= lines * percent; }
};

/// Compiles `yaml` and formats `text` with it, all dates in a leap year. Errors: usage if the
/// format does not load; those of format_extract().
[[nodiscard]] Result<Trial> try_format(const std::string& yaml, std::string_view text);

/// The same, for a format that is loaded already.
[[nodiscard]] Result<Trial> try_format(const Format& format, std::string_view text);

}  // namespace caravel::formatter
