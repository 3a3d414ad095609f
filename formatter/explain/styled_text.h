// Text for a terminal or a file: what each part of it is, and not which colour that has.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace caravel::formatter {

enum class Style : std::uint8_t {
  plain,
  heading,  // what the lines below are about
  good,     // a row
  faint,    // a dropped line; what is said beside the matter
  bad,      // a reject
  name,     // of a capture or a column
  mark,     // a caret
};

/// Parts of a text, in order. Foreign values in it were escaped by whoever added them, since that
/// changes their width; line ends are ours.
class StyledText {
 public:
  struct Part {
    Style style = Style::plain;
    std::string text;
  };

  void add(Style style, std::string_view text) {
    if (text.empty()) return;
    if (parts_.empty() || parts_.back().style != style) parts_.push_back({style, ""});
    parts_.back().text += text;
  }
  void add(std::string_view text) { add(Style::plain, text); }

  [[nodiscard]] const std::vector<Part>& parts() const { return parts_; }
  /// All of it, without its styles.
  [[nodiscard]] std::string plain() const {
    std::string out;
    for (const Part& part : parts_) out += part.text;
    return out;
  }
  void clear() { parts_.clear(); }

 private:
  std::vector<Part> parts_;
};

}  // namespace caravel::formatter
