#include "watcher/tail/options.h"

#include <algorithm>
#include <array>

#include "base/file.h"
#include "base/text.h"
#include "base/units.h"
#include "watcher/exchange/key_value.h"
#include "watcher/tail/files/paths.h"

namespace caravel::tail {
namespace {

constexpr std::size_t kMaxConfigBytes = 1 << 20;

using std::chrono::milliseconds;

std::string absolute(const std::string& path, const std::string& directory) {
  return path.starts_with('/') || path.empty() ? plain_path(path)
                                               : plain_path(directory + "/" + path);
}

Result<> set_duration(const std::string& text, milliseconds least, milliseconds& out) {
  CARAVEL_ASSIGN_OR_RETURN(auto value, parse_duration(text));
  if (value < least) {
    return fail(ErrorKind::usage,
                "'" + text + "' is less than " + std::to_string(least.count()) + "ms");
  }
  out = value;
  return {};
}

Result<> set_size(const std::string& text, std::uint64_t& out) {
  CARAVEL_ASSIGN_OR_RETURN(auto value, parse_size(text));
  if (value == 0) return fail(ErrorKind::usage, "must be more than 0");
  out = value;
  return {};
}

Result<> set_text(const std::string& text, std::string& out) {
  if (text.empty()) return fail(ErrorKind::usage, "must not be empty");
  out = text;
  return {};
}

struct Setting {
  std::string_view name;
  Result<> (*set)(AgentOptions&, const std::string& value, const std::string& directory);
};

using A = AgentOptions;
using S = const std::string;
constexpr std::array<Setting, 11> kSettings{{
    {"outbox", [](A& a, S& v, S& d) { return set_text(absolute(v, d), a.outbox); }},
    {"state", [](A& a, S& v, S& d) { return set_text(absolute(v, d), a.state); }},
    {"host",
     [](A& a, S& v, S&) -> Result<> {
       // As long as a host's name can be (RFC 1035).
       if (v.size() > 255) return fail(ErrorKind::usage, "is longer than 255 bytes");
       return set_text(v, a.host);
     }},
    {"interval", [](A& a, S& v, S&) { return set_duration(v, milliseconds(100), a.interval); }},
    {"grace",
     [](A& a, S& v, S&) -> Result<> {
       milliseconds grace{0};
       CARAVEL_TRY(set_duration(v, milliseconds(0), grace));
       a.grace = grace;
       return {};
     }},
    {"from",
     [](A& a, S& v, S&) -> Result<> {
       if (v != "start" && v != "end") return fail(ErrorKind::usage, "is neither start nor end");
       a.from_start = v == "start";
       return {};
     }},
    {"max-bytes", [](A& a, S& v, S&) { return set_size(v, a.max_bytes); }},
    {"max-outbox", [](A& a, S& v, S&) { return set_size(v, a.max_outbox); }},
    {"keep-sent", [](A& a, S& v, S&) { return set_duration(v, milliseconds(0), a.keep_sent); }},
    {"send", [](A& a, S& v, S&) { return set_text(v, a.send); }},
    {"send-timeout",
     [](A& a, S& v, S&) { return set_duration(v, milliseconds(100), a.send_timeout); }},
}};

const Setting* find_setting(std::string_view name) {
  const auto* const found = std::find_if(kSettings.begin(), kSettings.end(),
                                         [&](const Setting& s) { return s.name == name; });
  return found == kSettings.end() ? nullptr : found;
}

/// The nearest of the settings and `others`, written as there: behind `dashes`.
tl::unexpected<Error> unknown(std::string_view what, std::string_view name, std::string_view dashes,
                              std::vector<std::string> others) {
  for (const Setting& setting : kSettings) others.emplace_back(setting.name);
  const std::string nearest = nearest_word(name, others);
  return fail(ErrorKind::usage,
              std::string(what) +
                  (nearest.empty() ? "" : "; did you mean " + std::string(dashes) + nearest + "?"));
}

/// Whether the next argument belongs to this one.
bool takes_next(const std::string& argument) {
  if (!argument.starts_with("--")) return false;
  const std::string_view name = std::string_view(argument).substr(2);
  return find_setting(name) != nullptr || name == "config" || name == "resend";
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

Result<> set_resend(const std::string& value, Options& options) {
  const std::size_t colon = value.find(':');
  std::string_view digits = colon == std::string::npos ? "" : std::string_view(value).substr(colon);
  // The sequence may be copied from a name, with its zeros.
  digits.remove_prefix(std::min(digits.find_first_not_of(":0"), digits.size()));
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

std::string_view help_text() {
  return R"(caravel-tail follows logs and cuts what is appended to them into extracts: files
of whole lines, each with a manifest, for a loading host to fetch or to be sent.

Usage: caravel-tail [OPTION]... LOG...
       LOG is a path or a quoted pattern ('/var/log/app/*.log')

  --interval TIME      how often new lines are cut (60s)
  --once               one pass: cut, send, exit (for cron)
  --from start|end     where to begin in a log never seen before (end)
  --outbox DIR         where extracts are put (/var/spool/caravel-tail)
  --state FILE         what was read so far (/var/lib/caravel-tail/state)
  --max-bytes SIZE     of an extract; a backlog becomes several (8MiB)
  --max-outbox SIZE    of all that waits or was sent; then the log waits (1GiB)
  --send COMMAND       run by sh for each file, {} being its path. Status 0:
                       sent; anything else: tried again. Manifests go first
  --send-timeout TIME  a command that takes longer is ended (10m)
  --keep-sent TIME     how long sent extracts stay in DIR/sent (24h)
  --grace TIME         how long a rotated log must be still before the next one
                       is begun (2 intervals; 1s to 2m)
  --host NAME          this host's name in extracts (its host name)
  --config FILE        lines of option = value, and log = PATH
  --resend RUN:SEQ     put a sent extract back into the outbox
  --help, --version

Messages go to stderr. Exit status: 0 well, 1 something failed, 2 usage.
The log is only ever read. Manual: docs/tail.md
)";
}

Result<> apply_config(std::string_view text, const std::string& file, Options& options) {
  std::vector<std::string> seen;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);  // some editors' BOM
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.front() == '#') continue;
    const std::string place = file + ":" + std::to_string(number) + ": ";
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) {
      return fail(ErrorKind::usage, place + "is not option = value");
    }
    const std::string name(trimmed(line.substr(0, equals)));
    const std::string value(trimmed(line.substr(equals + 1)));
    if (name == "log") {
      if (value.empty()) return fail(ErrorKind::usage, place + "log: must not be empty");
      options.agent.logs.push_back(absolute(value, directory_of(file)));
      continue;
    }
    const Setting* setting = find_setting(name);
    if (name == "once") {
      if (value != "yes" && value != "no") {
        return fail(ErrorKind::usage, place + "once: must be yes or no");
      }
      options.agent.once = value == "yes";
      continue;
    }
    for (const std::string_view option : {"config", "resend"}) {
      if (name == option) return fail(ErrorKind::usage, place + name + ": belongs on the line");
    }
    if (setting == nullptr) return unknown(place + name + ": unknown", name, "", {"log"});
    if (std::find(seen.begin(), seen.end(), name) != seen.end()) {
      return fail(ErrorKind::usage, place + name + ": given twice");
    }
    seen.push_back(name);
    auto set = setting->set(options.agent, value, directory_of(file));
    if (!set) return tl::unexpected(with_context(place + name, set.error()));
  }
  return {};
}

Result<Options> parse_options(const std::vector<std::string>& arguments,
                              const std::string& directory) {
  Options options;
  options.agent.outbox = "/var/spool/caravel-tail";
  options.agent.state = "/var/lib/caravel-tail/state";
  // The file first, wherever it stands on the line.
  for (std::size_t i = 0; i < arguments.size() && arguments[i] != "--"; ++i) {
    const std::string& argument = arguments[i];
    if (argument == "--help" || argument == "-h") options.what = Options::What::help;
    if (argument == "--version") options.what = Options::What::version;
    const bool joined = argument.starts_with("--config=");
    const bool alone = argument == "--config" && i + 1 < arguments.size();
    if (takes_next(argument)) ++i;
    if (!joined && !alone) continue;
    const std::string file = absolute(joined ? argument.substr(9) : arguments[i], directory);
    auto text = read_file(file, kMaxConfigBytes);
    if (!text) return fail(ErrorKind::usage, text.error().message);
    CARAVEL_TRY(apply_config(*text, file, options));
  }
  if (options.what != Options::What::run) return options;

  std::vector<std::string> logs;
  bool only_logs = false;
  const auto needs_directory = [&](const std::string& path) {
    return directory.empty() && !path.starts_with('/');
  };
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (only_logs || !argument.starts_with("-") || argument == "-") {
      if (argument.empty()) return fail(ErrorKind::usage, "a log's path is empty");
      if (needs_directory(argument)) {
        return fail(ErrorKind::usage,
                    argument + ": the current directory is gone; name a full path");
      }
      logs.push_back(absolute(argument, directory));
      continue;
    }
    if (argument == "--") {
      only_logs = true;
      continue;
    }
    const std::size_t equals = argument.find('=');
    const std::string option = argument.substr(0, equals);
    const std::string name = option.substr(std::min<std::size_t>(2, option.size()));
    if (option == "--once") {
      if (equals != std::string::npos) return fail(ErrorKind::usage, "--once: takes no value");
      options.agent.once = true;
      continue;
    }
    const Setting* setting = option.starts_with("--") ? find_setting(name) : nullptr;
    if (setting == nullptr && name != "config" && name != "resend") {
      return unknown(option + ": unknown option", name, "--",
                     {"once", "config", "resend", "help", "version"});
    }
    std::string value;
    if (equals != std::string::npos) {
      value = argument.substr(equals + 1);
    } else if (++i < arguments.size()) {
      value = arguments[i];
    } else {
      return fail(ErrorKind::usage, option + ": needs a value");
    }
    if (name == "config") continue;
    if (name == "resend") {
      CARAVEL_TRY(set_resend(value, options));
      continue;
    }
    if ((name == "outbox" || name == "state") && needs_directory(value)) {
      return fail(ErrorKind::usage, option + ": the current directory is gone; name a full path");
    }
    auto set = setting->set(options.agent, value, directory);
    if (!set) return tl::unexpected(with_context(option, set.error()));
  }
  if (!logs.empty()) options.agent.logs = std::move(logs);
  if (options.agent.logs.empty() && options.what == Options::What::run) {
    return fail(ErrorKind::usage, "no log is named; see --help");
  }
  return options;
}

}  // namespace caravel::tail
