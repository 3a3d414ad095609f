// Arguments of one command: Boost.Program_options with our error messages and help.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <boost/program_options.hpp>

#include "base/error.h"
#include "base/stop_signal.h"

namespace caravel::watcher {

/// Exit codes of the commands. Scripts and units depend on them, and so do the README's examples.
inline constexpr int kExitGood = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitRejects = 3;

/// What every command gets.
struct CommandCall {
  std::vector<std::string> arguments;  // behind the command's name
  std::optional<std::string> config;   // --config FILE, wherever it stood
  StopSignal& stop;
};

class CommandLine {
 public:
  /// `usage`: "caravel process [options] FILE|DIR…"; `about`: a few lines for --help.
  CommandLine(std::string usage, std::string about);

  CommandLine& flag(const char* name, const char* help);
  /// `name`: "year", or "effective-date,e" for one that has a letter too.
  CommandLine& value(const char* name, const char* help);
  /// Names what is not an option, for arguments(); without it none are allowed.
  CommandLine& positional(bool many);

  /// Errors: kind usage, one sentence.
  [[nodiscard]] Result<> parse(const std::vector<std::string>& arguments);

  [[nodiscard]] bool help_wanted() const { return has("help"); }
  [[nodiscard]] std::string help() const;
  [[nodiscard]] bool has(const char* name) const { return values_.count(name) > 0; }
  [[nodiscard]] std::optional<std::string> get(const char* name) const;
  [[nodiscard]] const std::vector<std::string>& arguments() const { return arguments_; }
  /// `--year`, from 1 to 9999.
  [[nodiscard]] Result<std::optional<std::chrono::year>> year() const;

 private:
  std::string usage_;
  std::string about_;
  boost::program_options::options_description options_{"Options"};
  boost::program_options::variables_map values_;
  std::vector<std::string> arguments_;
  bool takes_arguments_ = false;
  bool takes_many_ = false;
};

/// Says the error on stderr; the exit code for its kind.
int report_error(const Error& error);

int run_watch(const CommandCall& call);
int run_sweep(const CommandCall& call);
int run_process(const CommandCall& call);
int run_format(const CommandCall& call);
int run_upload(const CommandCall& call);
int run_status(const CommandCall& call);
int run_explain(const CommandCall& call);
int run_check(const CommandCall& call);
int run_mapping(const CommandCall& call);
int run_capture(const CommandCall& call);

/// Finds the command among the arguments of the program and runs it.
int run_program(std::vector<std::string> arguments, StopSignal& stop);

}  // namespace caravel::watcher
