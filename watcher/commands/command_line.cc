#include "watcher/commands/command_line.h"

#include <charconv>
#include <cstdio>
#include <sstream>

#include <fmt/format.h>

#include "base/yaml.h"

namespace caravel::watcher {

namespace po = boost::program_options;

CommandLine::CommandLine(std::string usage, std::string about)
    : usage_(std::move(usage)), about_(std::move(about)) {
  options_.add_options()("help,h", "this text");
}

CommandLine& CommandLine::flag(const char* name, const char* help) {
  options_.add_options()(name, help);
  return *this;
}

CommandLine& CommandLine::value(const char* name, const char* help) {
  options_.add_options()(name, po::value<std::string>()->value_name("X"), help);
  return *this;
}

CommandLine& CommandLine::positional(bool many) {
  takes_arguments_ = true;
  takes_many_ = many;
  return *this;
}

Result<> CommandLine::parse(const std::vector<std::string>& arguments) {
  po::options_description all = options_;
  all.add_options()("argument", po::value<std::vector<std::string>>());
  po::positional_options_description positions;
  positions.add("argument", -1);
  try {
    po::store(po::command_line_parser(arguments)
                  .options(all)
                  .positional(positions)
                  .style(po::command_line_style::unix_style &
                         ~po::command_line_style::allow_guessing)
                  .run(),
              values_);
    po::notify(values_);
  } catch (const po::unknown_option& e) {
    std::vector<std::string> known;
    for (const auto& option : options_.options()) known.push_back("--" + option->long_name());
    const std::string nearest = nearest_word(e.get_option_name(), known);
    return fail(ErrorKind::usage,
                fmt::format("unknown option {}{}", e.get_option_name(),
                            nearest.empty() ? "" : fmt::format("; did you mean {}?", nearest)));
  } catch (const po::error& e) {
    return fail(ErrorKind::usage, e.what());
  }
  if (values_.count("argument") > 0) {
    arguments_ = values_["argument"].as<std::vector<std::string>>();
  }
  if (help_wanted()) return {};
  if (!takes_arguments_ && !arguments_.empty()) {
    return fail(ErrorKind::usage, fmt::format("'{}': this command takes no files", arguments_[0]));
  }
  if (!takes_many_ && arguments_.size() > 1) {
    return fail(ErrorKind::usage, fmt::format("'{}': one argument only", arguments_[1]));
  }
  return {};
}

std::string CommandLine::help() const {
  std::ostringstream options;
  options << options_;
  return fmt::format("Usage: {}\n\n{}\n\n{}  --config X            the configuration; else "
                     "$CARAVEL_CONFIG, else\n                        /etc/caravel/caravel.yaml\n",
                     usage_, about_, options.str());
}

std::optional<std::string> CommandLine::get(const char* name) const {
  if (!has(name)) return std::nullopt;
  return values_[name].as<std::string>();
}

Result<std::optional<std::chrono::year>> CommandLine::year() const {
  const auto text = get("year");
  if (!text) return std::nullopt;
  int year = 0;
  const char* const end = text->data() + text->size();
  const auto [stop, status] = std::from_chars(text->data(), end, year);
  if (status != std::errc{} || stop != end || year < 1 || year > 9999) {
    return fail(ErrorKind::usage, fmt::format("--year {}: is no year from 1 to 9999", *text));
  }
  return std::chrono::year(year);
}

int report_error(const Error& error) {
  fmt::print(stderr, "caravel: {}\n", error.message);
  return error.kind == ErrorKind::usage ? kExitUsage : kExitFailed;
}

}  // namespace caravel::watcher
