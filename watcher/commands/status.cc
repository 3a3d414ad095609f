// caravel status
#include <unistd.h>

#include <cerrno>

#include <fmt/format.h>

#include "watcher/checks/disks.h"
#include "watcher/checks/folders.h"
#include "watcher/commands/setup.h"
#include "watcher/files/drop_place.h"
#include "watcher/ledger/ledger.h"
#include "watcher/report/status.h"
#include "watcher/service/capture.h"
#include "watcher/service/console.h"
#include "watcher/spool/spool.h"

namespace caravel::watcher {
namespace {

DropStatus look_at_drop(const Config& config, const FeedConfig& feed) {
  DropStatus drop{feed.name, feed.drop};
  const Place place = look_at_place(feed.drop);
  // A person may see less than the service: whether that can read the directory, it says itself.
  const bool service = ::geteuid() == 0 || ::geteuid() == service_user(config);
  // Before the first start the spool has no drop directory yet: that start makes it.
  const bool to_be_made = place.state == PlaceState::missing &&
                          feed.drop.starts_with(config.spool + "/") &&
                          ::access(config.ledger_path().c_str(), F_OK) != 0;
  if (to_be_made || (place.state == PlaceState::unreadable && !service)) return drop;
  drop.state = name_of(place.state);
  drop.why = place.why;
  return drop;
}

/// What the configuration and the directories say; the ledger knows the rest.
StatusQuestion question_of(const Config& config) {
  StatusQuestion question;
  question.limits = config.feeds;
  question.spool = config.spool;
  for (const FeedConfig& feed : config.feeds) question.feeds.push_back(feed.name);
  for (const auto& store : config.stores) {
    question.stores.emplace_back(store.name, store_place(store));
  }
  question.lock_holder = lock_holder(config.spool);
  for (const FeedConfig& feed : config.feeds) {
    const std::string holder = lock_holder(capture_spool(config, feed.name));
    if (!holder.empty()) question.captures.emplace_back(feed.name, holder);
  }
  for (const FeedConfig& feed : config.feeds) question.drops.push_back(look_at_drop(config, feed));
  question.full_disks = full_disks(config);
  question.refused_manifests = refused_manifests(config.spool, question.most);
  return question;
}

Result<Ledger> open_ledger(const Config& config) {
  // Before the first start there is no ledger: nothing was seen yet, which is no fault. Only a
  // missing file says so; one that may not be read is a fault that people must hear of.
  const bool missing = ::access(config.ledger_path().c_str(), F_OK) != 0 && errno == ENOENT;
  return missing ? Ledger::open(std::string(Ledger::kInMemory)) : open_ledger_to_ask(config);
}

Result<int> run_status(const CommandCall& call) {
  CARAVEL_ASSIGN_OR_RETURN(const Settings settings, load_settings(call, Secrets::leave));
  const StatusQuestion question = question_of(settings.config);
  const auto now = std::chrono::system_clock::now();
  CARAVEL_ASSIGN_OR_RETURN(auto ledger, open_ledger(settings.config));
  CARAVEL_ASSIGN_OR_RETURN(const StatusReport report, build_status(ledger, question, now));
  CARAVEL_TRY(print(call.arguments.has("json") ? status_json(report) : status_text(report)));
  return kExitGood;
}

}  // namespace

Command status_command() {
  return {.name = "status",
          .about = "feeds, states, counts, lag, what fails and why",
          .usage = "[--json]",
          .help =
              "Feeds, states, counts, rates, lag, what waits or failed and why. Changes nothing,\n"
              "but that loads whose command was killed are settled.",
          .options = {flag("json", "one JSON object on stdout")},
          .run = run_status};
}

}  // namespace caravel::watcher
