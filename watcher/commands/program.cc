// The program: which command is meant, and what all commands have in common.
#include <algorithm>

#include <fmt/format.h>

#include "base/ending/last_words.h"
#include "base/text.h"
#include "base/units.h"
#include "watcher/commands/command_line.h"
#include "watcher/service/console.h"
#include "watcher/version/version.h"

namespace caravel::watcher {
namespace {

std::string program_help(const std::vector<Command>& commands) {
  std::string out =
      "Usage: caravel COMMAND [options]\n"
      "Gets the lines of growing logs into a database: none lost, none twice.\n\n"
      "Commands:\n";
  for (const Command& command : commands) {
    out += fmt::format("  {:<9} {}\n", command.name, command.about);
  }
  return out +
         "\n"
         "  --config FILE   else $CARAVEL_CONFIG, else /etc/caravel/caravel.yaml\n"
         "  --version       print the version\n"
         "`caravel COMMAND --help` says more. Exit codes: 0 all well, 1 something failed,\n"
         "2 usage or configuration, 3 done, but with rejects.\n";
}

Result<const Command*> find_command(const std::vector<Command>& commands, const std::string& name) {
  const auto found = std::find_if(commands.begin(), commands.end(),
                                  [&](const Command& command) { return command.name == name; });
  if (found != commands.end()) return &*found;
  std::vector<std::string> names;
  for (const Command& command : commands) names.push_back(command.name);
  const std::string nearest = nearest_word(name, names);
  return fail(ErrorKind::usage,
              fmt::format("unknown command '{}'{}; `caravel --help` lists them", name,
                          nearest.empty() ? "" : fmt::format("; did you mean '{}'?", nearest)));
}

Result<int> run(const std::vector<Command>& commands, const uploader::StoreTypes& stores,
                std::vector<std::string> arguments, StopSignal& stop) {
  // --config may stand before the command too, so it is taken out before the command is looked for.
  CARAVEL_ASSIGN_OR_RETURN(auto config, take_value(arguments, "--config", "names no file"));
  // Nobody asked for help here, so it goes to stderr and the exit code says "usage".
  if (arguments.empty()) {
    write_to_stderr(program_help(commands));
    return kExitUsage;
  }
  const std::string name = arguments.front();
  arguments.erase(arguments.begin());
  if (name == "--help" || name == "-h" || name == "help") {
    CARAVEL_TRY(print(program_help(commands)));
    return kExitGood;
  }
  if (name == "--version") {
    CARAVEL_TRY(print(version_text()));
    return kExitGood;
  }
  CARAVEL_ASSIGN_OR_RETURN(const Command* const command, find_command(commands, name));
  CARAVEL_ASSIGN_OR_RETURN(auto parsed, parse_arguments(*command, arguments));
  // Before the command reads a configuration: its help needs none.
  if (parsed.has("help")) {
    CARAVEL_TRY(print(help_text(*command)));
    return kExitGood;
  }
  return command->run({std::move(parsed), std::move(config), stores, stop});
}

}  // namespace

int run_program(const std::vector<Command>& commands, const uploader::StoreTypes& stores,
                std::vector<std::string> arguments, StopSignal& stop) {
  try {
    const auto code = run(commands, stores, std::move(arguments), stop);
    return code ? *code : report_error(code.error());
  } catch (...) {
    // Errors are values here, so this is memory that has run out, or a fault of the program. All
    // that was held is released by now, and the next start takes up what was in work.
    char words[kMostLastWords];
    say_last_words("caravel", words_of_exception(words, sizeof words));
    return kExitOfException;
  }
}

namespace {

/// The loader of formats quotes, below its message, the line that is wrong. Such lines are
/// indented: a line end of a foreign name cannot begin a line that looks like a message.
void report_message(std::string_view message, bool quotes) {
  const std::size_t first = quotes ? message.find("\n  ") : std::string_view::npos;
  say("{}", message.substr(0, first));
  if (first != std::string_view::npos) {
    write_to_stderr(printable_lines(message.substr(first + 1)) + "\n");
  }
}

}  // namespace

int report_error(const Error& error) {
  // 2 tells a supervisor that another start would not help (RestartPreventExitStatus in
  // etc/systemd/caravel.service).
  const bool quotes = error.kind == ErrorKind::usage;
  report_message(error.message, quotes);
  // Enough to mend at a time; a screen that is full of them helps nobody.
  constexpr std::size_t kMostOthers = 50;
  for (std::size_t i = 0; i < std::min(error.others.size(), kMostOthers); ++i) {
    report_message(error.others[i], quotes);
  }
  if (error.others.size() > kMostOthers) {
    say("and {} more", error.others.size() - kMostOthers);
  }
  return error.kind == ErrorKind::usage ? kExitUsage : kExitFailed;
}

}  // namespace caravel::watcher
