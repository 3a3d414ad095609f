// A command of `caravel` as a value: its name, its options, its help, and what it does.
//
// Each command is one file with one function that returns its Command:
//
//     Command status_command() {
//       return {.name = "status", .about = …, .usage = …, .help = …, .options = …, .run =
//       run_status};
//     }
//
// and one line in the list in watcher/all_commands.cc. run_program() parses the arguments, answers
// --help, calls `run` and prints its error, so that a command has only its own work to do.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/stop_signal.h"
#include "base/words/option_help.h"
#include "uploader/store_type.h"

namespace caravel::watcher {

/// Exit codes. Scripts and units depend on them; `caravel --help` and README.md list them.
inline constexpr int kExitGood = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitRejects = 3;

/// An option of a command: its row in the help, the manual page and the completion, and what the
/// parser is told. `name` is "year", or "effective-date,e" for one that has a letter too.
struct Option {
  std::string name;
  std::string help;
  std::string value{};  // the word for its value, "YEAR", or the values, "start|end"; "": a flag

  [[nodiscard]] OptionHelp shown() const { return {name, value, help}; }
};
[[nodiscard]] inline Option flag(std::string name, std::string help) {
  return {std::move(name), std::move(help)};
}
/// An option with a value: value("year=YEAR", "the year of dates that have none").
[[nodiscard]] inline Option value(const std::string& name_and_word, std::string help) {
  const std::size_t equals = name_and_word.find('=');
  return {name_and_word.substr(0, equals), std::move(help),
          equals == std::string::npos ? "VALUE" : name_and_word.substr(equals + 1)};
}

/// What a person wrote behind the command's name.
struct Arguments {
  std::map<std::string, std::string, std::less<>> options{};  // a flag's value is ""
  std::vector<std::string> operands{};                        // what is no option: mostly files

  [[nodiscard]] bool has(std::string_view option) const { return options.contains(option); }
  [[nodiscard]] std::optional<std::string> get(std::string_view option) const;
  /// `--year`, from 1 to 9999.
  [[nodiscard]] Result<std::optional<std::chrono::year>> year() const;
};

/// What every command is called with.
struct CommandCall {
  Arguments arguments;
  std::optional<std::string> config;   // --config FILE, wherever it stood
  const uploader::StoreTypes& stores;  // every type that a store of the configuration may have
  StopSignal& stop;
};

/// How many operands a command takes. `unparsed`: run() gets every argument as it stood, because
/// another parser reads them.
enum class Operands { none, one, many, unparsed };

struct Command {
  std::string name;
  std::string about;    // its line in `caravel --help`
  std::string usage{};  // what follows "caravel NAME" in its own help
  std::string help;     // a few lines
  std::vector<Option> options{};
  Operands operands = Operands::none;
  /// Returns the exit code. An error is printed by the caller; its kind decides on the exit code.
  Result<int> (*run)(const CommandCall&);
};

/// Finds the command among the arguments of the program and runs it; returns the exit code.
/// `commands` are listed by --help in their order; they are told of `stores`.
[[nodiscard]] int run_program(const std::vector<Command>& commands,
                              const uploader::StoreTypes& stores,
                              std::vector<std::string> arguments, StopSignal& stop);

/// Prints the error on stderr; returns the exit code for its kind.
int report_error(const Error& error);

}  // namespace caravel::watcher
