#include "watcher/status/question.h"

#include <unistd.h>

#include <cerrno>

#include "watcher/checks/disks.h"
#include "watcher/checks/folders.h"
#include "watcher/files/drop_place.h"
#include "watcher/service/capture.h"
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

}  // namespace

StatusQuestion status_question(const Config& config) {
  StatusQuestion question;
  question.limits = config.feeds;
  question.spool = config.spool;
  question.expect_sweep = config.expect_sweep;
  question.max_wait = config.max_wait;
  for (const FeedConfig& feed : config.feeds) question.feeds.push_back(feed.name);
  for (const auto& store : config.stores) {
    question.stores.emplace_back(store.name, store_place(store));
  }
  question.lock_holder = lock_holder(config.spool);
  question.worked_at = last_worked(config.spool);
  for (const FeedConfig& feed : config.feeds) {
    const std::string holder = lock_holder(capture_spool(config, feed.name));
    if (!holder.empty()) question.captures.emplace_back(feed.name, holder);
  }
  for (const FeedConfig& feed : config.feeds) question.drops.push_back(look_at_drop(config, feed));
  question.disks = disk_rooms(config);
  question.refused_manifests = refused_manifests(config.spool, question.most);
  return question;
}

bool ledger_is_missing(const Config& config) {
  return ::access(config.ledger_path().c_str(), F_OK) != 0 && errno == ENOENT;
}

Result<Ledger> open_ledger_to_look(const Config& config) {
  return ledger_is_missing(config) ? Ledger::open(std::string(Ledger::kInMemory))
                                   : Ledger::open(config.ledger_path(), Ledger::Mode::read_only);
}

}  // namespace caravel::watcher
