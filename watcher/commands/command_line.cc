#include "watcher/commands/command_line.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>
#include <boost/program_options.hpp>

#include "base/units.h"

namespace caravel::watcher {
namespace {

namespace po = boost::program_options;

/// The command's options for Boost. --config is not among them: every command has it, and
/// take_value() takes it out before the command is known.
po::options_description describe(const Command& command) {
  po::options_description options("Options");
  options.add_options()("help,h", "this text");
  for (const Option& option : command.options) {
    if (!option.value.empty()) {
      options.add_options()(option.name.c_str(), po::value<std::string>(), option.help.c_str());
    } else {
      options.add_options()(option.name.c_str(), option.help.c_str());
    }
  }
  return options;
}

/// The error names the nearest known option: most unknown ones are misspelt.
tl::unexpected<Error> unknown_option(const po::options_description& options,
                                     const std::string& name) {
  std::vector<std::string> known;
  for (const auto& option : options.options()) known.push_back("--" + option->long_name());
  const std::string nearest = nearest_word(name, known);
  return fail(ErrorKind::usage,
              fmt::format("unknown option {}{}", name,
                          nearest.empty() ? "" : fmt::format("; did you mean {}?", nearest)));
}

/// Refuses operands that the command would pass over without a word.
Result<> expect_operands(Operands wanted, const std::vector<std::string>& operands) {
  if (wanted == Operands::none && !operands.empty()) {
    return fail(ErrorKind::usage, fmt::format("'{}': this command takes no files", operands[0]));
  }
  if (wanted == Operands::one && operands.size() > 1) {
    return fail(ErrorKind::usage,
                fmt::format("'{}': this command takes one argument only", operands[1]));
  }
  return {};
}

/// The arguments of a command that has a parser of its own: only --help is ours.
Arguments unparsed(const std::vector<std::string>& arguments) {
  Arguments out;
  const auto end = std::find(arguments.begin(), arguments.end(), "--");
  for (const char* const help : {"--help", "-h"}) {
    if (std::find(arguments.begin(), end, help) != end) out.options["help"] = "";
  }
  out.operands = arguments;
  return out;
}

}  // namespace

std::optional<std::string> Arguments::get(std::string_view option) const {
  const auto found = options.find(option);
  if (found == options.end()) return std::nullopt;
  return found->second;
}

Result<std::optional<std::chrono::year>> Arguments::year() const {
  const auto text = get("year");
  if (!text) return std::nullopt;
  int year = 0;
  const char* const end = text->data() + text->size();
  // from_chars() knows no locale and takes neither a space nor a plus sign in front.
  const auto [stop, status] = std::from_chars(text->data(), end, year);
  if (status != std::errc{} || stop != end || year < 1 || year > 9999) {
    return fail(ErrorKind::usage, fmt::format("--year {}: is no year from 1 to 9999", *text));
  }
  return std::chrono::year(year);
}

Result<Arguments> parse_arguments(const Command& command,
                                  const std::vector<std::string>& arguments) {
  if (command.operands == Operands::unparsed) return unparsed(arguments);
  const po::options_description options = describe(command);
  // Boost wants an option for what is none; it is in no help and in no suggestion.
  po::options_description all = options;
  all.add_options()("operand", po::value<std::vector<std::string>>());
  po::positional_options_description positions;
  positions.add("operand", -1);
  po::variables_map values;
  try {
    // An abbreviated option would change its meaning on the day that a longer one is added.
    const auto style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
    po::store(
        po::command_line_parser(arguments).options(all).positional(positions).style(style).run(),
        values);
    po::notify(values);
  } catch (const po::unknown_option& e) {
    return unknown_option(options, e.get_option_name());
  } catch (const po::error& e) {
    return fail(ErrorKind::usage, e.what());
  }
  Arguments out;
  for (const auto& [name, given] : values) {
    if (name == "operand") {
      out.operands = given.as<std::vector<std::string>>();
    } else {
      // A flag has no text: it stands among the options with "".
      const auto* const text = boost::any_cast<std::string>(&given.value());
      out.options[name] = text != nullptr ? *text : "";
    }
  }
  // A person who asks for help gets it, whatever else is on the line.
  if (!out.has("help")) CARAVEL_TRY(expect_operands(command.operands, out.operands));
  return out;
}

std::vector<OptionHelp> option_table(const Command& command) {
  std::vector<OptionHelp> table;
  for (const Option& option : command.options) table.push_back(option.shown());
  table.push_back({"config", "FILE",
                   "the configuration; else $CARAVEL_CONFIG, else /etc/caravel/caravel.yaml"});
  table.push_back({"help,h", "", "this text"});
  return table;
}

std::string help_text(const Command& command) {
  return fmt::format("Usage: caravel {}{}{}\n\n{}\nOptions:\n{}", command.name,
                     command.usage.empty() ? "" : " ", command.usage, wrapped(command.help),
                     option_lines(option_table(command)));
}

Result<std::optional<std::string>> take_value(std::vector<std::string>& arguments,
                                              const std::string& name,
                                              std::string_view if_missing) {
  std::optional<std::string> value;
  // If the option is given twice, the last one counts. Behind "--" there are operands only (POSIX,
  // Utility Syntax Guidelines, 10).
  for (auto place = arguments.begin(); place != arguments.end() && *place != "--";) {
    if (place->starts_with(name + "=")) {
      value = place->substr(name.size() + 1);
      place = arguments.erase(place);
    } else if (*place == name) {
      place = arguments.erase(place);
      if (place == arguments.end()) {
        return fail(ErrorKind::usage, fmt::format("{}: {}", name, if_missing));
      }
      value = *place;
      place = arguments.erase(place);
    } else {
      ++place;
    }
  }
  return value;
}

}  // namespace caravel::watcher
