// caravel capture
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "watcher/commands/command_line.h"
#include "watcher/commands/setup.h"
#include "watcher/files/host_name.h"
#include "watcher/service/capture.h"
#include "watcher/service/watch.h"
#include "watcher/tail/options.h"

namespace caravel::watcher {
namespace {

constexpr const char* kHelp =
    R"(Usage: caravel capture [options] LOG…

Follows logs of this host and loads their lines as they are written: tail, format and
upload in one. LOG is a path or a quoted pattern. Runs until SIGTERM or Ctrl-C, and goes
on where it was at the next start. May run beside `caravel watch`.

Options:
  --feed NAME          the feed that the lines belong to; not needed if there is only one
  --interval TIME      how often new lines are taken (1s)
  --once               one pass, then exit
  --from start|end     where to begin in a log never seen before (start)
  --max-bytes SIZE     of what is loaded at a time (8MiB)
  --max-outbox SIZE    of what waits to be loaded; then the log waits (1GiB)
  --grace TIME         how long a rotated log must be still before the next is begun
  --host NAME          this host's name in what is stored (its host name)
  --config FILE        the configuration; else $CARAVEL_CONFIG, else
                       /etc/caravel/caravel.yaml
)";

/// Takes `--name VALUE` or `--name=VALUE` out of the arguments.
Result<std::optional<std::string>> take_value(std::vector<std::string>& arguments,
                                              const std::string& name) {
  std::optional<std::string> value;
  for (auto place = arguments.begin(); place != arguments.end() && *place != "--";) {
    if (place->starts_with(name + "=")) {
      value = place->substr(name.size() + 1);
      place = arguments.erase(place);
    } else if (*place == name) {
      place = arguments.erase(place);
      if (place == arguments.end()) return fail(ErrorKind::usage, name + ": needs a value");
      value = *place;
      place = arguments.erase(place);
    } else {
      ++place;
    }
  }
  return value;
}

/// The agent's options, as caravel-tail reads them, with our defaults.
Result<tail::AgentOptions> agent_options(std::vector<std::string> arguments) {
  for (const char* const option :
       {"--outbox", "--state", "--send", "--send-timeout", "--keep-sent", "--resend"}) {
    for (const std::string& argument : arguments) {
      if (argument == "--") break;
      if (argument == option || argument.starts_with(std::string(option) + "=")) {
        return fail(ErrorKind::usage,
                    fmt::format("{}: capture sends nothing and keeps its files in the spool and "
                                "the state directory; that option is caravel-tail's",
                                option));
      }
    }
  }
  arguments.insert(arguments.begin(), {"--from=start", "--interval=1s"});
  std::error_code error;
  CARAVEL_ASSIGN_OR_RETURN(
      auto options, tail::parse_options(arguments, std::filesystem::current_path(error).string()));
  if (options.what != tail::Options::What::run) {
    return fail(ErrorKind::usage, "--version and --help stand alone: caravel --version");
  }
  return std::move(options.agent);
}

Result<> make_private_directory(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return {};
  return fail_with_errno("mkdir " + path, errno);
}

}  // namespace

int run_capture(const CommandCall& call) {
  std::vector<std::string> arguments = call.arguments;
  const auto options_end = std::find(arguments.begin(), arguments.end(), "--");
  if (std::find(arguments.begin(), options_end, "--help") != options_end ||
      std::find(arguments.begin(), options_end, "-h") != options_end) {
    fmt::print("{}", kHelp);
    return kExitGood;
  }
  auto feed_name = take_value(arguments, "--feed");
  if (!feed_name) return report_error(feed_name.error());
  auto agent_wanted = agent_options(std::move(arguments));
  if (!agent_wanted) return report_error(agent_wanted.error());
  auto settings = load_settings(call, true);
  if (!settings) return report_error(settings.error());
  auto feed = choose_feed(settings->config, *feed_name);
  if (!feed) return report_error(feed.error());
  const std::string state = capture_state(settings->config, (*feed)->name);
  start_logging(settings->config.log_level, false);

  Config config = capture_config(settings->config, **feed);
  // One half for what is cut, one for what is claimed: a store may be down for days.
  agent_wanted->max_outbox = std::max<std::uint64_t>(agent_wanted->max_outbox / 2, 1);
  config.max_claims = std::clamp<std::uint64_t>(agent_wanted->max_outbox / agent_wanted->max_bytes,
                                                1, config.max_claims);
  // Before anything is cut: the ledger makes the state directory.
  if (auto ledger = Ledger::open(config.ledger_path()); !ledger) {
    return report_error(ledger.error());
  }
  for (const std::string& directory :
       {std::filesystem::path(state).parent_path().string(), settings->config.spool,
        settings->config.spool + "/capture"}) {
    if (auto made = make_private_directory(directory); !made) return report_error(made.error());
  }
  auto spool = Spool::open(config.spool);
  if (!spool) return report_error(spool.error());
  auto lock = spool->lock("caravel capture", std::chrono::system_clock::now());
  if (!lock) return report_error(lock.error());
  if (!lock->lock) {
    fmt::print(stderr, "caravel: feed {} is captured already by {}\n", (*feed)->name, lock->holder);
    return kExitFailed;
  }

  tail::AgentOptions options = std::move(*agent_wanted);
  options.outbox = config.feeds.front().drop;
  options.state = state;
  if (options.host.empty()) options.host = host_name();
  const bool once = options.once;
  tail::Disk disk;
  auto agent = tail::Agent::open(std::move(options), disk);
  if (!agent) return report_error(agent.error());

  const Service service{config, settings->formats, *spool, call.stop, Origin::capture};
  const auto say = [](const std::string& message) { spdlog::warn("{}", message); };
  if (once) {
    const bool good = tail_once(**agent, call.stop, say);
    auto swept = sweep(service);
    if (!swept) return report_error(swept.error());
    if (!good || swept->failed > 0 || swept->gave_up > 0 || swept->faults > 0) return kExitFailed;
    return swept->rejected > 0 ? kExitRejects : kExitGood;
  }
  const Tailing tailing(std::move(*agent), call.stop, say);
  auto watched = watch(service);
  call.stop.request();  // also if the watch ended for a reason of its own
  return watched ? kExitGood : report_error(watched.error());
}

}  // namespace caravel::watcher
