// A program as its manual and its completion see it: the tables that its parser is made of.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/words/option_help.h"
#include "watcher/commands/command.h"

namespace caravel::watcher {

/// A command, or, without a name, a program that has none.
struct DescribedCommand {
  std::string name;
  std::string about;
  std::string usage;
  std::string help;
  std::vector<OptionHelp> options;
  bool takes_files = false;
  std::vector<std::string> words;  // the operands, if there are few: "export", "rebuild"
};

struct DescribedProgram {
  std::string name;
  std::string about;
  std::vector<OptionHelp> options;  // that stand before a command
  std::vector<DescribedCommand> commands;
};

/// It refers to texts of `commands`.
[[nodiscard]] DescribedProgram describe_caravel(const std::vector<Command>& commands);
[[nodiscard]] DescribedProgram describe_tail();

/// "a|b|c" -> its parts; anything else has none.
[[nodiscard]] std::vector<std::string> choices_of(std::string_view value);
/// Whether the value of an option is a path.
[[nodiscard]] bool is_path(std::string_view value);

}  // namespace caravel::watcher
