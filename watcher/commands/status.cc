// caravel status
#include "watcher/report/status.h"

#include <chrono>

#include "base/text.h"
#include "formatter/explain/styled_text.h"
#include "watcher/commands/setup.h"
#include "watcher/ledger/ledger.h"
#include "watcher/report/judge.h"
#include "watcher/service/console.h"
#include "watcher/status/overview.h"
#include "watcher/status/question.h"
#include "watcher/status/screen.h"

namespace caravel::watcher {
namespace {

/// The exit codes of monitoring plug-ins (monitoring-plugins.org, "Development Guidelines").
constexpr int kExitUnknown = 3;

Result<StatusReport> report_now(const Config& config) {
  const StatusQuestion question = status_question(config);
  const auto now = std::chrono::system_clock::now();
  CARAVEL_ASSIGN_OR_RETURN(auto ledger, ledger_is_missing(config)
                                            ? Ledger::open(std::string(Ledger::kInMemory))
                                            : open_ledger_to_ask(config));
  return build_status(ledger, question, now);
}

Result<int> check_status(const CommandCall& call) {
  const auto report = [&]() -> Result<StatusReport> {
    CARAVEL_ASSIGN_OR_RETURN(const Settings settings, load_settings(call, Secrets::leave));
    return report_now(settings.config);
  }();
  // Whatever is in the way, a mistake in the configuration too: monitoring wants a line and a code.
  if (!report) {
    CARAVEL_TRY(print(unknown_line(report.error().message)));
    return kExitUnknown;
  }
  CARAVEL_TRY(print(check_line(*report)));
  return static_cast<int>(report->health.level());
}

Result<int> watch_status(const CommandCall& call) {
  if (!stdout_is_screen()) return fail(ErrorKind::usage, "--watch: stdout is no terminal");
  CARAVEL_ASSIGN_OR_RETURN(const Settings settings, load_settings(call, Secrets::leave));
  constexpr std::chrono::seconds kEvery{1};
  constexpr std::size_t kUsualColumns = 80;
  LiveScreen terminal;
  do {
    const auto overview = look(settings.config, std::chrono::system_clock::now());
    formatter::StyledText shown_now;
    if (overview) {
      shown_now = screen(*overview, columns_of_stdout(kUsualColumns), LiveScreen::rows());
    } else {
      // A ledger that is busy, or being rebuilt, is there again soon.
      shown_now.add(formatter::Style::bad, shown(overview.error().message));
    }
    CARAVEL_TRY(terminal.draw(shown_now));
  } while (!stopped_within(call.stop, kEvery));
  return kExitGood;
}

Result<int> run_status(const CommandCall& call) {
  const Arguments& arguments = call.arguments;
  if (arguments.has("json") + arguments.has("check") + arguments.has("watch") > 1) {
    return fail(ErrorKind::usage, "--json, --check and --watch: only one of them");
  }
  if (arguments.has("check")) return check_status(call);
  if (arguments.has("watch")) return watch_status(call);
  CARAVEL_ASSIGN_OR_RETURN(const Settings settings, load_settings(call, Secrets::leave));
  CARAVEL_ASSIGN_OR_RETURN(const StatusReport report, report_now(settings.config));
  CARAVEL_TRY(print(arguments.has("json") ? status_json(report) : status_text(report)));
  return kExitGood;
}

}  // namespace

Command status_command() {
  return {.name = "status",
          .about = "feeds, states, counts, lag, what fails and why",
          .usage = "[--json | --check | --watch]",
          .help =
              "Feeds, states, counts, rates, lag, what waits or failed and why. Changes nothing,\n"
              "but that loads whose command was killed are settled. --check ends with 0 (OK),\n"
              "1 (WARNING), 2 (CRITICAL) or 3 (UNKNOWN), as monitoring plug-ins do.",
          .options = {flag("json", "one JSON object on stdout"),
                      flag("check", "one line of what a person should look at"),
                      flag("watch", "all of it on the terminal, live, until Ctrl-C")},
          .run = run_status};
}

}  // namespace caravel::watcher
