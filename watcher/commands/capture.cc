// caravel capture
#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "watcher/commands/command_line.h"
#include "watcher/commands/setup.h"
#include "watcher/commands/with_service.h"
#include "watcher/files/directory.h"
#include "watcher/files/host_name.h"
#include "watcher/service/capture.h"
#include "watcher/service/console.h"
#include "watcher/service/program_log.h"
#include "watcher/service/watch.h"
#include "watcher/tail/options.h"

namespace caravel::watcher {
namespace {

constexpr const char* kHelp =
    R"(Follows logs of this host and loads their lines as they are written: tail, format and
upload in one. LOG is a path or a quoted pattern. Runs until SIGTERM or Ctrl-C, and
goes on where it was at the next start; SIGHUP makes it read the configuration again.
May run beside `caravel watch`.)";

/// Those of caravel-tail, with other defaults; two more and some fewer.
std::vector<Option> capture_options() {
  return {value("feed=NAME", "the feed that the lines belong to; not needed if there is only one"),
          value("interval=TIME", "how often new lines are taken (1s)"),
          flag("once", "one pass, then exit"),
          value("from=start|end", "where to begin in a log never seen before (start)"),
          value("max-bytes=SIZE", "of what is loaded at a time (8MiB)"),
          value("max-outbox=SIZE", "of what waits to be loaded; then the log waits (1GiB)"),
          value("record-start=PATTERN", "how the first line of a record begins"),
          value("grace=TIME", "how long a rotated log must be still before the next is begun"),
          value("siblings=PATTERN",
                "more rotated files: other names, other directories; {} is the LOG's name "
                "('old/{}-*'). As often as needed"),
          value("host=NAME", "this host's name in what is stored (its host name)")};
}

/// The agent's options, as caravel-tail reads them, with our defaults.
Result<tail::AgentOptions> agent_options(std::vector<std::string> arguments) {
  // With these options of caravel-tail a person says where its files go. A capture decides that
  // itself.
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
    return fail(ErrorKind::usage,
                "--version and --help stand alone; --resend and --explain are caravel-tail's");
  }
  options.agent.watch_in_thread = true;
  // The loading side needs descriptors too, and the limit of a process is 1024 as a rule.
  options.agent.max_held = std::min<std::size_t>(options.agent.max_held, 256);
  return std::move(options.agent);
}

Result<> make_private_directory(const std::string& path) {
  return make_durable_directory(path, 0700);
}

/// Half of --max-outbox is for what is cut, half for what is claimed: while a store is down for
/// days, both fill up.
void share_room(tail::AgentOptions& agent, Config& config) {
  agent.max_outbox = std::max<std::uint64_t>(agent.max_outbox / 2, 1);
  config.max_claims =
      std::clamp<std::uint64_t>(agent.max_outbox / agent.max_bytes, 1, config.max_claims);
}

/// Makes the directories in which this capture keeps its state and its spool.
Result<> make_directories(const Config& config, const std::string& state,
                          const std::string& shared_spool) {
  // Opening the ledger makes the directory `state`, under which the agent's state lies.
  CARAVEL_TRY(Ledger::open(config.ledger_path()));
  CARAVEL_TRY(make_private_directory(std::filesystem::path(state).parent_path().string()));
  CARAVEL_TRY(make_private_directory(shared_spool));
  return make_private_directory(shared_spool + "/capture");
}

/// What the agent has to say goes into the log of the capture.
void log_message(const std::string& message) { log_warning("{}", message); }

/// One pass: cuts what is there, then loads what was cut.
Result<int> capture_once(tail::Agent& agent, const Service& service) {
  const bool good = tail_once(agent, service.stop, log_message);
  // Also after trouble with a log: whatever was cut is loaded.
  CARAVEL_ASSIGN_OR_RETURN(const SweepResult swept, sweep(service));
  return good ? exit_code_of(swept) : kExitFailed;
}

/// Follows the logs and loads until told to stop.
Result<int> capture_on(std::unique_ptr<tail::Agent> agent, const Service& service, Reload& reload) {
  CARAVEL_ASSIGN_OR_RETURN(const auto tailing,
                           Tailing::start(std::move(agent), service.stop, log_message));
  const auto watched = watch(service, reload);
  // The watch may have ended because of an error: then nobody has told the agent to stop yet, and
  // the end of `tailing` would wait for it for ever.
  service.stop.request();
  CARAVEL_TRY(watched);
  return kExitGood;
}

Result<int> capture(const CommandCall& call, Reload& reload) {
  std::vector<std::string> arguments = call.arguments.operands;
  CARAVEL_ASSIGN_OR_RETURN(const auto feed_name, take_value(arguments, "--feed", "needs a value"));
  // The whole command line is checked before anything is made or locked.
  CARAVEL_ASSIGN_OR_RETURN(auto options, agent_options(std::move(arguments)));
  CARAVEL_ASSIGN_OR_RETURN(const Settings settings, load_settings(call, Secrets::read));
  CARAVEL_ASSIGN_OR_RETURN(const FeedConfig* const feed, choose_feed(settings.config, feed_name));
  start_logging(settings.config.log_level, settings.config.log_format);
  // Read now, because `options` moves into the agent.
  const bool once = options.once;
  if (!once) reload.listen();

  Config config = capture_config(settings.config, *feed);
  share_room(options, config);
  // The agent writes straight into the drop directory of its feed. It publishes an extract by a
  // rename, so the watcher never sees half of one.
  options.outbox = config.feeds.front().drop;
  options.state = capture_state(settings.config, feed->name);
  if (options.host.empty()) options.host = host_name();
  CARAVEL_TRY(make_directories(config, options.state, settings.config.spool));
  CARAVEL_ASSIGN_OR_RETURN(const Spool spool, Spool::open(config.spool, Room(config.min_free)));
  CARAVEL_ASSIGN_OR_RETURN(const LockAttempt attempt,
                           spool.lock("caravel capture", std::chrono::system_clock::now()));
  // Two agents with one state directory would overwrite each other's place in the log.
  if (!attempt.lock) {
    say("feed {} is captured already by {}", feed->name, attempt.holder);
    return kExitFailed;
  }

  tail::Disk disk;
  CARAVEL_ASSIGN_OR_RETURN(auto agent, tail::Agent::open(std::move(options), disk));
  const Service service{config, settings.formats, spool, call.stop, Origin::capture};
  return once ? capture_once(*agent, service) : capture_on(std::move(agent), service, reload);
}

Result<int> run_capture(const CommandCall& call) {
  return with_reload(call, [&](Reload& reload) { return capture(call, reload); });
}

}  // namespace

Command capture_command() {
  return {.name = "capture",
          .about = "tail, format and upload a log of this host",
          .usage = "[options] LOG…",
          .help = kHelp,
          .options = capture_options(),
          .operands = Operands::unparsed,
          .run = run_capture};
}

}  // namespace caravel::watcher
