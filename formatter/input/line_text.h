// From the bytes of a line to text that a store takes.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "formatter/input/encoding.h"
#include "formatter/input/line_splitter.h"

namespace caravel::formatter {

/// Looks at line after line of one extract. For one thread.
class LineText {
 public:
  /// Errors: kind fault, if the system cannot convert that encoding.
  static Result<LineText> open(Encoding encoding);

  /// Why `text`, a part of `line`, can be no text of any format; "" if it can. Then it is UTF-8:
  /// where it had to be converted, in memory that is valid until the next call, with a byte behind
  /// it that may be written, and kBehindLine readable ones.
  [[nodiscard]] std::string_view fault_of(const Line& line, std::string_view& text);

 private:
  explicit LineText(std::optional<Decoder> decoder) : decoder_(std::move(decoder)) {}

  std::optional<Decoder> decoder_;  // none for UTF-8
  std::string decoded_;
};

}  // namespace caravel::formatter
