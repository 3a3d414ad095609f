// caravel status
#include <unistd.h>

#include <cerrno>

#include <fmt/format.h>

#include "watcher/commands/command_line.h"
#include "watcher/commands/setup.h"
#include "watcher/report/report.h"
#include "watcher/service/capture.h"

namespace caravel::watcher {

int run_status(const CommandCall& call) {
  CommandLine line(
      "caravel status [--json]",
      "Feeds, states, counts, rates, lag, what waits or failed and why. Changes nothing.");
  line.flag("json", "one JSON object on stdout");
  if (auto parsed = line.parse(call.arguments); !parsed) return report_error(parsed.error());
  if (line.help_wanted()) {
    fmt::print("{}", line.help());
    return kExitGood;
  }
  auto settings = load_settings(call, false);
  if (!settings) return report_error(settings.error());
  const Config& config = settings->config;
  StatusQuestion question;
  question.limits = config.feeds;
  for (const FeedConfig& feed : config.feeds) question.feeds.push_back(feed.name);
  for (const auto& store : config.stores) {
    question.stores.emplace_back(store.name, store_place(store));
  }
  question.lock_holder = lock_holder(config.spool);
  for (const FeedConfig& feed : config.feeds) {
    const std::string holder = lock_holder(capture_spool(config, feed.name));
    if (!holder.empty()) question.captures.emplace_back(feed.name, holder);
  }
  question.refused_manifests = refused_manifests(config.spool, question.most);
  const auto now = std::chrono::system_clock::now();
  // Before the first start there is no ledger: nothing was seen yet.
  const bool fresh = ::access(config.ledger_path().c_str(), F_OK) != 0 && errno == ENOENT;
  auto ledger = fresh ? Ledger::open(std::string(Ledger::kInMemory))
                      : Ledger::open(config.ledger_path(), Ledger::Mode::read_only);
  if (!ledger) return report_error(ledger.error());
  auto report = build_status(*ledger, question, now);
  if (!report) return report_error(report.error());
  fmt::print("{}", line.has("json") ? status_json(*report) + "\n" : status_text(*report));
  return kExitGood;
}

}  // namespace caravel::watcher
