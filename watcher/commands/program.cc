// The program: which command, and what all of them have in common.
#include <algorithm>
#include <array>
#include <cstdio>

#include <fmt/format.h>

#include "base/yaml.h"
#include "watcher/commands/command_line.h"

namespace caravel::watcher {
namespace {

struct Command {
  const char* name;
  const char* about;
  int (*run)(const CommandCall&);
};

constexpr std::array kCommands = {
    Command{"watch", "run until told to stop; load each new extract at once", run_watch},
    Command{"sweep", "one pass over the drop directories, then exit (cron)", run_sweep},
    Command{"process", "load old extracts by hand, from any place", run_process},
    Command{"capture", "tail, format and upload a log of this host", run_capture},
    Command{"format", "a filter: extract in, CSV out", run_format},
    Command{"upload", "load CSV files", run_upload},
    Command{"mapping", "store a table of vehicles, routes or stops", run_mapping},
    Command{"status", "feeds, states, counts, lag, what fails and why", run_status},
    Command{"explain", "where a file or a document came from, where it is, why", run_explain},
    Command{"check", "validate the configuration, try the stores; change nothing", run_check},
};

void print_help(std::FILE* to) {
  fmt::print(to,
             "Usage: caravel COMMAND [options]\n\n"
             "Gets the lines of growing logs into a database: none lost, none twice.\n\n"
             "Commands:\n");
  for (const Command& command : kCommands) {
    fmt::print(to, "  {:<9} {}\n", command.name, command.about);
  }
  fmt::print(to,
             "\n"
             "  --config FILE   the configuration; else $CARAVEL_CONFIG, else\n"
             "                  /etc/caravel/caravel.yaml\n"
             "  --version       print the version\n\n"
             "`caravel COMMAND --help` says more. Exit codes: 0 all well, 1 something failed,\n"
             "2 usage or configuration, 3 done, but with rejects.\n");
}

/// Takes --config FILE out of the arguments; it may stand before or behind the command.
Result<std::optional<std::string>> take_config(std::vector<std::string>& arguments) {
  std::optional<std::string> config;
  for (auto place = arguments.begin(); place != arguments.end() && *place != "--";) {
    if (place->starts_with("--config=")) {
      config = place->substr(std::string_view("--config=").size());
      place = arguments.erase(place);
    } else if (*place == "--config") {
      place = arguments.erase(place);
      if (place == arguments.end()) return fail(ErrorKind::usage, "--config: names no file");
      config = *place;
      place = arguments.erase(place);
    } else {
      ++place;
    }
  }
  return config;
}

}  // namespace

int run_program(std::vector<std::string> arguments, StopSignal& stop) {
  auto config = take_config(arguments);
  if (!config) return report_error(config.error());
  if (arguments.empty()) {
    print_help(stderr);
    return kExitUsage;
  }
  const std::string name = arguments.front();
  arguments.erase(arguments.begin());
  if (name == "--help" || name == "-h" || name == "help") {
    print_help(stdout);
    return kExitGood;
  }
  if (name == "--version") {
    fmt::print("caravel {}\n", CARAVEL_VERSION);
    return kExitGood;
  }
  const auto command = std::find_if(kCommands.begin(), kCommands.end(),
                                    [&](const Command& c) { return name == c.name; });
  if (command == kCommands.end()) {
    std::vector<std::string> names;
    for (const Command& c : kCommands) names.emplace_back(c.name);
    const std::string nearest = nearest_word(name, names);
    return report_error(
        {ErrorKind::usage,
         fmt::format(
             "unknown command '{}'{}; `caravel --help` lists them", name,
             nearest.empty() ? std::string() : fmt::format("; did you mean '{}'?", nearest)),
         {}});
  }
  return command->run({std::move(arguments), std::move(*config), stop});
}

}  // namespace caravel::watcher
