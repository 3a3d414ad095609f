#include "watcher/tail/options.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/file.h"
#include "base/text.h"
#include "watcher/exchange/key_value.h"
#include "watcher/tail/files/paths.h"
#include "watcher/tail/settings.h"

namespace caravel::tail {
namespace {

/// Enough for ten thousand logs. Somebody may name a log or a device as the configuration by
/// mistake: the limit ends the reading.
constexpr std::size_t kMaxConfigBytes = 1 << 20;

/// Without blanks at both ends; a CR counts as one, for files that were written on Windows.
std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

/// Takes "RUN:SEQUENCE" of --resend apart.
Result<> set_resend(const std::string& value, Options& options) {
  const std::size_t colon = value.find(':');
  std::string_view digits =
      colon == std::string::npos ? "" : std::string_view(value).substr(colon + 1);
  // A user may copy the sequence from an extract's name, where zeros stand before it.
  digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size()));
  const auto sequence = watcher::parse_whole_number(digits);
  if (!sequence || !is_hex(value.substr(0, colon), 8)) {
    return fail(ErrorKind::usage, "--resend: '" + value + "' is not like 0a1b2c3d:17");
  }
  options.what = Options::What::resend;
  options.resend_run = value.substr(0, colon);
  options.resend_sequence = *sequence;
  return {};
}

}  // namespace

std::vector<OptionHelp> option_table() {
  return {
      {"interval", "TIME", "how often new lines are cut (60s)"},
      {"once", "", "one pass: cut, send, exit (for cron)"},
      {"from", "start|end", "where to begin in a log never seen before (end)"},
      {"outbox", "DIR", "where extracts are put (/var/spool/caravel-tail)"},
      {"state", "FILE", "what was read so far (/var/lib/caravel-tail/state)"},
      {"max-bytes", "SIZE", "of an extract; a backlog becomes several (8MiB)"},
      {"record-start", "PATTERN",
       "how the first line of a record begins ('[0-9][0-9]:*'): an extract does not end within a "
       "record"},
      {"max-outbox", "SIZE", "of all that waits or was sent; then the log waits (1GiB)"},
      {"send", "COMMAND",
       "run by sh for each file, {} being its path. Status 0: sent; anything else: tried again. "
       "Manifests go first"},
      {"send-timeout", "TIME", "a command that takes longer is ended (10m)"},
      {"keep-sent", "TIME", "how long sent extracts stay in DIR/sent (24h)"},
      {"grace", "TIME",
       "how long a rotated log must be still before the next one is begun (2 intervals; 1s to 2m)"},
      {"siblings", "PATTERN",
       "more rotated files: other names, other directories; {} is the LOG's name ('old/{}-*'). As "
       "often as needed"},
      {"max-open", "NUMBER", "rotated files held open until they are read (1024)"},
      {"host", "NAME", "this host's name in extracts (its host name)"},
      {"config", "FILE", "lines of option = value, and log = PATH"},
      {"resend", "RUN:SEQ", "put a sent extract back into the outbox"},
      {"explain", "LOG",
       "say which files are LOG's and why, how far each was read, what an agent holds open, what "
       "was missed"},
      {"help,h", "", "this text"},
      {"version", "", "say the version"},
  };
}

std::string help_text() {
  return "caravel-tail follows logs and cuts what is appended to them into extracts: files\n"
         "of whole lines, each with a manifest, for a loading host to fetch or to be sent.\n\n"
         "Usage: caravel-tail [OPTION]... LOG...\n"
         "       LOG is a path or a quoted pattern ('/var/log/app/*.log')\n\n" +
         option_lines(option_table()) +
         "\nMessages go to stderr. Exit status: 0 well, 1 something failed, 2 usage.\n"
         "The log is only ever read. Manual: man caravel-tail, docs/tail.md\n";
}

namespace {

/// One line of a configuration file: not empty, no comment, no blanks around it. `seen`: the
/// options that lines before it gave.
Result<> apply_line(std::string_view line, const std::string& file, std::vector<std::string>& seen,
                    Options& options) {
  const std::size_t equals = line.find('=');
  // The first '=' ends the name: the value of `send` may hold more of them.
  if (equals == std::string_view::npos) return fail(ErrorKind::usage, "is not option = value");
  const std::string name(trimmed(line.substr(0, equals)));
  const std::string value(trimmed(line.substr(equals + 1)));
  if (name == "log") {
    if (value.empty()) return fail(ErrorKind::usage, "log: must not be empty");
    options.agent.logs.push_back(absolute(value, directory_of(file)));
    return {};
  }
  if (name == "once") {
    if (value != "yes" && value != "no") return fail(ErrorKind::usage, "once: must be yes or no");
    options.agent.once = value == "yes";
    return {};
  }
  // A file that names a further file could name itself; --resend is a thing to do once.
  if (name == "config" || name == "resend" || name == "explain") {
    return fail(ErrorKind::usage, name + ": belongs on the command line");
  }
  const Setting* const setting = find_setting(name);
  if (setting == nullptr) return unknown_setting(name + ": unknown", name, "", {"log"});
  if (!setting->repeatable && std::find(seen.begin(), seen.end(), name) != seen.end()) {
    return fail(ErrorKind::usage, name + ": given twice");
  }
  // Of two values, one would be passed over in silence, so only lists take more than one.
  seen.push_back(name);
  auto set = setting->set(options.agent, value, directory_of(file));
  if (!set) return tl::unexpected(with_context(name, set.error()));
  return {};
}

/// An option as it stands on the command line.
struct Argument {
  std::string option;                // "--interval"; empty: this is the path of a log
  std::optional<std::string> value;  // what follows its '=', or the argument behind it, if it takes
                                     // one; or the path
  [[nodiscard]] std::string name() const {
    return option.substr(std::min<std::size_t>(2, option.size()));
  }
};

bool takes_value(const std::string& name) {
  return find_setting(name) != nullptr || name == "config" || name == "resend" || name == "explain";
}

/// Pairs each option with its value, as getopt_long(3) would, and keeps logs in their order.
/// Reports no errors: apply_option() does.
std::vector<Argument> split(const std::vector<std::string>& arguments) {
  std::vector<Argument> out;
  bool only_logs = false;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& text = arguments[i];
    if (only_logs || !text.starts_with("-") || text == "-") {
      out.push_back({{}, text});
    } else if (text == "--") {
      only_logs = true;
    } else if (const std::size_t equals = text.find('='); equals != std::string::npos) {
      out.push_back({text.substr(0, equals), text.substr(equals + 1)});
    } else {
      Argument argument{text, std::nullopt};
      // What follows belongs to the option even if it looks like one: `--send --help` is a command.
      const bool takes = text.starts_with("--") && takes_value(argument.name());
      if (takes && i + 1 < arguments.size()) argument.value = arguments[++i];
      out.push_back(std::move(argument));
    }
  }
  return out;
}

/// Applies what must be known first: --help and --version, which win over any mistake beside them,
/// and the content of the --config file, wherever the option stands on the line, because the other
/// options on the line override the file.
Result<> apply_first(const std::vector<Argument>& arguments, const std::string& directory,
                     Options& options) {
  for (const Argument& argument : arguments) {
    const std::string& option = argument.option;
    if (!argument.value) {
      if (option == "--help" || option == "-h") options.what = Options::What::help;
      if (option == "--version") options.what = Options::What::version;
    } else if (option == "--config") {
      const std::string file = absolute(*argument.value, directory);
      const auto text = read_file(file, kMaxConfigBytes);
      if (!text) return fail(ErrorKind::usage, text.error().message);
      CARAVEL_TRY(apply_config(*text, file, options));
    }
  }
  return {};
}

/// Whether `path` means nothing because it is relative and the current directory was deleted
/// (`directory` is empty then).
bool needs_directory(const std::string& path, const std::string& directory) {
  return directory.empty() && !path.starts_with('/');
}

/// One option of the command line. Errors name it as the user wrote it.
Result<> apply_option(const Argument& argument, const std::string& directory, Options& options) {
  const std::string& option = argument.option;
  const std::string name = argument.name();
  if (option == "--once") {
    if (argument.value) return fail(ErrorKind::usage, "--once: takes no value");
    options.agent.once = true;
    return {};
  }
  if (!option.starts_with("--") || !takes_value(name)) {
    return unknown_setting(option + ": unknown option", name, "--",
                           {"once", "config", "resend", "explain", "help", "version"});
  }
  if (!argument.value) return fail(ErrorKind::usage, option + ": needs a value");
  const std::string& value = *argument.value;
  if (name == "config") return {};  // apply_first() read it
  if (name == "resend") return set_resend(value, options);
  if (name == "explain") {
    if (needs_directory(value, directory)) {
      return fail(ErrorKind::usage, option + ": the current directory is gone; name a full path");
    }
    options.what = Options::What::explain;
    options.explained_log = absolute(value, directory);
    return {};
  }
  if ((name == "outbox" || name == "state") && needs_directory(value, directory)) {
    return fail(ErrorKind::usage, option + ": the current directory is gone; name a full path");
  }
  auto set = find_setting(name)->set(options.agent, value, directory);
  if (!set) return tl::unexpected(with_context(option, set.error()));
  return {};
}

}  // namespace

Result<> apply_config(std::string_view text, const std::string& file, Options& options) {
  std::vector<std::string> seen;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);  // some editors' BOM
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.front() == '#') continue;
    const auto applied = apply_line(line, file, seen, options);
    if (!applied) {
      return tl::unexpected(with_context(file + ":" + std::to_string(number), applied.error()));
    }
  }
  return {};
}

Result<Options> parse_options(const std::vector<std::string>& arguments,
                              const std::string& directory) {
  Options options;
  options.agent.outbox = "/var/spool/caravel-tail";
  options.agent.state = "/var/lib/caravel-tail/state";
  const std::vector<Argument> given = split(arguments);
  CARAVEL_TRY(apply_first(given, directory, options));
  if (options.what != Options::What::run) return options;
  std::vector<std::string> logs;
  for (const Argument& argument : given) {
    if (!argument.option.empty()) {
      CARAVEL_TRY(apply_option(argument, directory, options));
      continue;
    }
    const std::string& path = *argument.value;
    if (path.empty()) return fail(ErrorKind::usage, "a log's path is empty");
    if (needs_directory(path, directory)) {
      return fail(ErrorKind::usage, path + ": the current directory is gone; name a full path");
    }
    logs.push_back(absolute(path, directory));
  }
  // Logs on the command line replace those of the file, as its other options do. So `--once
  // --config FILE LOG` cuts one log of a file that names many.
  if (!logs.empty()) options.agent.logs = std::move(logs);
  if (options.what == Options::What::explain && options.agent.logs.empty()) {
    options.agent.logs = {options.explained_log};
  }
  if (options.agent.logs.empty() && options.what == Options::What::run) {
    return fail(ErrorKind::usage, "no log is named; see --help");
  }
  return options;
}

}  // namespace caravel::tail
