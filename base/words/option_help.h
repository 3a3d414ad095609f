// Options as people are shown them: one table serves the help, the manual pages and the completion.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace caravel {

/// An option of a program or a command, for people.
struct OptionHelp {
  std::string_view name;   // "interval"; "mapping-type,m" if it has a letter too
  std::string_view value;  // the word for its value, "TIME", or the values, "start|end"; "": a flag
  std::string_view help;   // a sentence without its stop

  [[nodiscard]] std::string_view long_name() const { return name.substr(0, name.find(',')); }
  /// "m"; "" if it has no letter.
  [[nodiscard]] std::string_view letter() const;
  /// "-m, --mapping-type TYPE".
  [[nodiscard]] std::string head() const;
};

/// Text of several lines, wrapped anew at 80 columns. Lines that are indented, that have two blanks
/// in them, or that stand before or behind an empty one keep their beginnings: lists stay lists.
[[nodiscard]] std::string wrapped(std::string_view text);

/// The lines of --help: two columns, wrapped at 80.
[[nodiscard]] std::string option_lines(const std::vector<OptionHelp>& options);

}  // namespace caravel
