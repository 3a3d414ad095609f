// The first line of a log, of which row ids of `identity: position` are made.
#pragma once

#include <string>

#include "formatter/input/line_splitter.h"

namespace caravel::formatter {

/// Gathers the beginning of the first line, which may come in pieces of any size.
class FirstLine {
 public:
  /// Whether all that counts of it is known now: then text() is that.
  [[nodiscard]] bool take(const Line& line);
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

}  // namespace caravel::formatter
