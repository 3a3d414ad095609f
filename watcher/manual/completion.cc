#include "watcher/manual/completion.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace caravel::watcher {
namespace {

/// "--feed -m": what may be typed.
std::vector<std::string> spellings(const OptionHelp& option) {
  std::vector<std::string> out = {fmt::format("--{}", option.long_name())};
  if (!option.letter().empty()) out.push_back(fmt::format("-{}", option.letter()));
  return out;
}

std::string all_spellings(const std::vector<OptionHelp>& options) {
  std::vector<std::string> out;
  for (const OptionHelp& option : options) {
    for (std::string& one : spellings(option)) out.push_back(std::move(one));
  }
  return fmt::format("{}", fmt::join(out, " "));
}

/// The caravel_tail of _caravel_tail(): a shell's name has no "-".
std::string function_name(std::string name) {
  std::replace(name.begin(), name.end(), '-', '_');
  return "_" + name;
}

/// For a text between single quotes.
std::string quoted(std::string_view text, std::string_view escaped_quote) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += escaped_quote;
    } else {
      out += c;
    }
  }
  return out + "'";
}

/// A program without commands is one command for all shells.
bool has_commands(const DescribedProgram& program) {
  return program.commands.size() != 1 || !program.commands.front().name.empty();
}

std::vector<std::string> names_of_commands(const DescribedProgram& program) {
  std::vector<std::string> names;
  for (const DescribedCommand& command : program.commands) names.push_back(command.name);
  return names;
}

// -- bash ----------------------------------------------------------------------------------------

/// A case of the values of options: `patterns` are "COMMAND:--OPTION".
void add_bash_values(std::string& out, const std::string& command,
                     const std::vector<OptionHelp>& options) {
  for (const OptionHelp& option : options) {
    if (option.value.empty()) continue;
    std::vector<std::string> patterns = spellings(option);
    for (std::string& pattern : patterns) pattern = fmt::format("{}:{}", command, pattern);
    const auto choices = choices_of(option.value);
    const std::string reply = !choices.empty() ? fmt::format("-W '{}'", fmt::join(choices, " "))
                              : option.value == "DIR" ? "-d"
                              : is_path(option.value) ? "-f"
                                                      : "";
    // A value that nobody can list: nothing is better than the names of files.
    out += reply.empty() ? fmt::format("    {}) return ;;\n", fmt::join(patterns, " | "))
                         : fmt::format("    {}) complete_with {}; return ;;\n",
                                       fmt::join(patterns, " | "), reply);
  }
}

// -- zsh -----------------------------------------------------------------------------------------

/// A specification of _arguments, quoted.
std::string zsh_option(const OptionHelp& option) {
  std::string help;
  for (const char c : option.help) {
    if (c == '[' || c == ']' || c == '\\') help += '\\';
    help += c;
  }
  std::string value;
  if (!option.value.empty()) {
    const auto choices = choices_of(option.value);
    value = fmt::format(":{}:{}", choices.empty() ? option.value : option.long_name(),
                        !choices.empty()        ? fmt::format("({})", fmt::join(choices, " "))
                        : option.value == "DIR" ? "_files -/"
                        : is_path(option.value) ? "_files"
                                                : " ");
  }
  std::string out;
  for (const std::string& spelling : spellings(option)) {
    const bool with_equals = !option.value.empty() && spelling.starts_with("--");
    out +=
        fmt::format(" \\\n        {}",
                    quoted(fmt::format("{}{}[{}]{}", spelling, with_equals ? "=" : "", help, value),
                           R"('\'')"));
  }
  return out;
}

std::string zsh_operands(const DescribedCommand& command) {
  if (!command.words.empty()) {
    return fmt::format(" \\\n        '1:what:({})'", fmt::join(command.words, " "));
  }
  return command.takes_files ? " \\\n        '*:file:_files'" : "";
}

std::string zsh_arguments(const DescribedCommand& command) {
  std::string out = "_arguments -s";
  for (const OptionHelp& option : command.options) out += zsh_option(option);
  return out + zsh_operands(command);
}

// -- fish ----------------------------------------------------------------------------------------

void add_fish_options(std::string& out, const std::string& begin,
                      const std::vector<OptionHelp>& options) {
  for (const OptionHelp& option : options) {
    out += fmt::format("{} -l {}", begin, option.long_name());
    if (!option.letter().empty()) out += fmt::format(" -s {}", option.letter());
    if (const auto choices = choices_of(option.value); !choices.empty()) {
      out += fmt::format(" -x -a '{}'", fmt::join(choices, " "));
    } else if (is_path(option.value)) {
      out += " -r -F";
    } else if (!option.value.empty()) {
      out += " -x";
    }
    out += fmt::format(" -d {}\n", quoted(option.help, R"(\')"));
  }
}

}  // namespace

std::string bash_completion(const DescribedProgram& program) {
  const std::string function = function_name(program.name);
  std::string cases;
  std::string values;
  if (has_commands(program)) {
    cases = fmt::format("    '') options='{}' words='{}' ;;\n", all_spellings(program.options),
                        fmt::join(names_of_commands(program), " "));
    add_bash_values(values, "", program.options);
  }
  for (const DescribedCommand& command : program.commands) {
    cases += fmt::format("    {}) options='{}' words='{}' files={} ;;\n",
                         command.name.empty() ? "''" : command.name, all_spellings(command.options),
                         fmt::join(command.words, " "),
                         command.takes_files && command.words.empty() ? "yes" : "");
    add_bash_values(values, command.name, command.options);
  }
  const std::string find_command = R"(  for ((i = 1; i < COMP_CWORD; ++i)); do
    case ${COMP_WORDS[i]} in
      --config) ((++i)) ;;
      -* | =) ;;
      *) command=${COMP_WORDS[i]}; break ;;
    esac
  done
)";
  return fmt::format(R"(# Completion of {0} for bash; made from the program's own options.
{1}() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}}
  local command='' options='' words='' files='' i
  # "--option=value" is three words here.
  if [[ $before == '=' ]]; then before=${{COMP_WORDS[COMP_CWORD-2]}}; fi
  if [[ $current == '=' ]]; then before=${{COMP_WORDS[COMP_CWORD-1]}} current=''; fi
  complete_with() {{ mapfile -t COMPREPLY < <(compgen "$@" -- "$current"); }}
  COMPREPLY=()
{2}  case $command in
{3}  esac
  case $command:$before in
{4}  esac
  if [[ $current == -* ]]; then
    complete_with -W "$options"
  elif [[ -n $files ]]; then
    complete_with -f
  else
    complete_with -W "$words"
  fi
}}
complete -o filenames -o nosort -F {1} {0}
)",
                     program.name, function, has_commands(program) ? find_command : "", cases,
                     values);
}

std::string zsh_completion(const DescribedProgram& program) {
  const std::string function = function_name(program.name);
  if (!has_commands(program)) {
    return fmt::format("#compdef {0}\n# Made from the options of the program itself.\n{1}\n",
                       program.name, zsh_arguments(program.commands.front()));
  }
  std::string commands;
  std::string cases;
  for (const DescribedCommand& command : program.commands) {
    commands += fmt::format("\n    {}",
                            quoted(fmt::format("{}:{}", command.name, command.about), R"('\'')"));
    cases += fmt::format("      {})\n        {} ;;\n", command.name, zsh_arguments(command));
  }
  std::string options;
  for (const OptionHelp& option : program.options) options += zsh_option(option);
  return fmt::format(R"(#compdef {0}
# Made from the options of the program itself.
{1}() {{
  local context state line curcontext=$curcontext
  typeset -A opt_args
  local -a commands=({2})
  _arguments -C{3} \
        '1:command:->command' \
        '*::argument:->argument'
  case $state in
    command) _describe -t commands command commands ;;
    argument)
      case $words[1] in
{4}      esac ;;
  esac
}}
{1} "$@"
)",
                     program.name, function, commands, options, cases);
}

std::string fish_completion(const DescribedProgram& program) {
  std::string out = "# Made from the options of the program itself.\n";
  const std::string complete = "complete -c " + program.name;
  if (!has_commands(program)) {
    add_fish_options(out, complete, program.commands.front().options);
    return out;
  }
  out += complete + " -f\n";
  add_fish_options(out, complete + " -n __fish_use_subcommand", program.options);
  for (const DescribedCommand& command : program.commands) {
    const std::string behind =
        fmt::format("{} -n '__fish_seen_subcommand_from {}'", complete, command.name);
    out += fmt::format("{} -n __fish_use_subcommand -a {} -d {}\n", complete, command.name,
                       quoted(command.about, R"(\')"));
    add_fish_options(out, behind, command.options);
    if (!command.words.empty()) {
      out += fmt::format("{} -a '{}'\n", behind, fmt::join(command.words, " "));
    } else if (command.takes_files) {
      out += behind + " -F\n";
    }
  }
  return out;
}

}  // namespace caravel::watcher
