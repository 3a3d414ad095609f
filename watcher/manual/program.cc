#include "watcher/manual/program.h"

#include <algorithm>

#include "watcher/commands/command_line.h"
#include "watcher/tail/options.h"

namespace caravel::watcher {

std::vector<std::string> choices_of(std::string_view value) {
  const auto is_choice = [](char c) { return c == '|' || c == '-' || (c >= 'a' && c <= 'z'); };
  std::vector<std::string> choices;
  if (value.find('|') == std::string_view::npos || !std::ranges::all_of(value, is_choice))
    return {};
  for (std::size_t at = 0; at <= value.size();) {
    const std::size_t end = std::min(value.find('|', at), value.size());
    choices.emplace_back(value.substr(at, end - at));
    at = end + 1;
  }
  return choices;
}

std::string_view first_word(std::string_view text) { return text.substr(0, text.find(' ')); }

bool is_path(std::string_view value) {
  return value == "FILE" || value == "DIR" || value == "LOG" || value == "CSV";
}

DescribedProgram describe_caravel(const std::vector<Command>& commands) {
  DescribedProgram program{
      "caravel",
      "gets the lines of growing logs into a database",
      {{"config", "FILE",
        "the configuration; else $CARAVEL_CONFIG, else /etc/caravel/caravel.yaml"},
       {"help,h", "", "the commands, each in a line"},
       {"version", "", "say the version, its commit and its libraries"}},
      {}};
  for (const Command& command : commands) {
    program.commands.push_back({command.name, command.about, command.usage, command.help,
                                option_table(command), command.operands != Operands::none,
                                choices_of(first_word(command.usage))});
  }
  return program;
}

DescribedProgram describe_tail() {
  return {"caravel-tail",
          "follows logs and cuts them into extracts",
          {},
          {{"", "", "[OPTION]... LOG...", "", tail::option_table(), true, {}}}};
}

}  // namespace caravel::watcher
