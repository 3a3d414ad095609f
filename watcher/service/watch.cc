#include "watcher/service/watch.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "base/moment.h"
#include "watcher/files/name_rules.h"
#include "watcher/sources/source_watch.h"
#include "watcher/spool/expire.h"

namespace caravel::watcher {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::chrono::hours kTidyEvery{1};
/// How long one pass holds out for a store that does not answer.
constexpr std::chrono::seconds kSweepPatience{20};
/// And how long beyond `settle` for files to be still.
constexpr std::chrono::seconds kSweepGrace{1};

/// What workers tell the loop: which extracts are through.
class Finished {
 public:
  Finished() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
  struct One {
    ReadyExtract extract;
    Ending ending = Ending::done;
    std::string message;
  };
  void add(const ReadyExtract& extract, const PipelineResult& result) {
    const std::lock_guard lock(mutex_);
    extracts_.push_back({extract, result.ending, result.message});
    const std::uint64_t one = 1;
    // Full means readable: the loop looks anyway.
    [[maybe_unused]] const ssize_t put = ::write(fd_.get(), &one, sizeof one);
  }
  std::vector<One> take() {
    const std::lock_guard lock(mutex_);
    std::uint64_t count;
    [[maybe_unused]] const ssize_t got = ::read(fd_.get(), &count, sizeof count);
    return std::exchange(extracts_, {});
  }
  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  UniqueFd fd_;
  std::mutex mutex_;
  std::vector<One> extracts_;
};

/// Declared behind what must be told to stop before it is destroyed.
struct StopAtEnd {
  StopSignal& stop;
  ~StopAtEnd() { stop.request(); }
};

int poll_timeout(steady_clock::time_point deadline, steady_clock::time_point now) {
  if (deadline <= now) return 0;
  // Rounded up: waking a moment too early would only mean waking twice.
  const auto wait = std::chrono::ceil<milliseconds>(deadline - now);
  return static_cast<int>(std::min<std::int64_t>(wait.count(), 60'000));
}

void log_messages(Intake& intake) {
  for (const std::string& message : intake.take_messages()) spdlog::warn("{}", message);
}

}  // namespace

Result<> watch(const Service& service) {
  CARAVEL_ASSIGN_OR_RETURN(auto ledger, Ledger::open(service.config.ledger_path()));
  CARAVEL_ASSIGN_OR_RETURN(auto inotify, Inotify::open());
  Finished finished;
  Intake intake(service.config, service.spool, ledger, &inotify, service.origin);
  std::map<const FeedConfig*, std::unique_ptr<Worker>> workers;
  // However this function is left: workers that nobody stops would be waited for in vain.
  const StopAtEnd stop_at_end{service.stop};
  for (const FeedConfig& feed : service.config.feeds) {
    CARAVEL_ASSIGN_OR_RETURN(auto worker, Worker::start(service, feed,
                                                        [&finished](const ReadyExtract& extract,
                                                                    const PipelineResult& result) {
                                                          finished.add(extract, result);
                                                        }));
    workers[&feed] = std::move(worker);
  }
  const auto hand_over = [&] {
    for (ReadyExtract& extract : intake.take_ready()) {
      Worker& worker = *workers.at(extract.feed);
      worker.add(std::move(extract));
    }
    log_messages(intake);
  };

  CARAVEL_TRY(intake.start(Moment::now()));
  hand_over();
  for (const FeedConfig& feed : service.config.feeds) {
    spdlog::info("watching {} for {} (feed {}, store {})", feed.drop, feed.match, feed.name,
                 feed.store);
  }
  ::sd_notify(0, "READY=1");
  SourceWatch sources(service.config, ledger);
  auto next_tidy = steady_clock::now();
  std::vector<DropEvent> events;
  while (!service.stop.requested()) {
    Moment now = Moment::now();
    if (now.steady >= next_tidy) {
      tidy(service, now.wall);
      next_tidy = now.steady + kTidyEvery;
    }
    pollfd polled[] = {
        {service.stop.fd(), POLLIN, 0}, {inotify.fd(), POLLIN, 0}, {finished.fd(), POLLIN, 0}};
    const int timeout = poll_timeout(std::min(intake.next_deadline(), next_tidy), now.steady);
    if (::poll(polled, std::size(polled), timeout) < 0 && errno != EINTR) {
      return fail_with_errno("poll", errno);
    }
    now = Moment::now();
    events.clear();
    if ((polled[1].revents & POLLIN) != 0) CARAVEL_TRY(inotify.drain(events));
    if ((polled[2].revents & POLLIN) != 0) {
      for (const Finished::One& one : finished.take()) {
        const bool mismatched = one.ending == Ending::mismatched;
        if (mismatched || one.ending == Ending::not_ready) {
          intake.wait_again(one.extract, one.message, mismatched, now);
        } else {
          intake.finished(one.extract, now);
        }
      }
    }
    if (events.empty()) {
      intake.step(now);
    } else {
      intake.on_events(events, now);
    }
    for (const std::string& message : sources.step(now.wall)) spdlog::warn("{}", message);
    hand_over();
  }
  ::sd_notify(0, "STOPPING=1");
  spdlog::info("stopping");
  return {};
}

Result<SweepResult> sweep(const Service& service) {
  CARAVEL_ASSIGN_OR_RETURN(auto ledger, Ledger::open(service.config.ledger_path()));
  Intake intake(service.config, service.spool, ledger, nullptr, service.origin);
  std::map<const FeedConfig*, std::unique_ptr<uploader::Store>> stores;
  std::map<const FeedConfig*, std::string> down;
  SweepResult total;

  const auto load = [&](const ReadyExtract& extract) -> PipelineResult {
    const FeedConfig& feed = *extract.feed;
    // A store that did not answer for one extract is not asked again for the next in this pass.
    if (const auto reason = down.find(&feed); reason != down.end()) {
      ++total.gave_up;
      (void)ledger.extracts().set_waiting(extract.claim.id, reason->second, std::nullopt,
                                          std::chrono::system_clock::now());
      PipelineResult result;
      result.ending = Ending::gave_up;
      return result;
    }
    const uploader::StoreConfig& store_config = *service.config.find_store(feed.store);
    auto& store = stores[&feed];
    if (!store) store = uploader::make_store(store_config);
    ExtractJob job;
    job.claim = extract.claim;
    job.root = extract.root;
    job.last_chance = extract.last_chance;
    const auto began = steady_clock::now();
    const PipelineResult result =
        Pipeline({service.config, feed, service.formats, service.spool, ledger, *store,
                  store_config, service.stop, logging_observer(feed.name, store_config.name),
                  kSweepPatience})
            .run(job);
    log_result(feed.name, extract.claim.name, result,
               std::chrono::duration_cast<milliseconds>(steady_clock::now() - began));
    total.rejected += result.counts.rejected;
    if (result.ending == Ending::done) ++total.done;
    if (result.ending == Ending::failed) ++total.failed;
    if (result.ending == Ending::not_ready || result.ending == Ending::refused) ++total.gave_up;
    if (result.ending == Ending::gave_up) {
      ++total.gave_up;
      down[&feed] = result.message;
    }
    return result;
  };

  CARAVEL_TRY(intake.start(Moment::now()));
  // A file that is never still would keep one pass from ending.
  milliseconds settle{0};
  for (const FeedConfig& feed : service.config.feeds) settle = std::max(settle, feed.settle);
  const auto enough = steady_clock::now() + settle + kSweepGrace;
  bool rechecked = false;
  while (!service.stop.requested()) {
    const std::vector<ReadyExtract> ready = intake.take_ready();
    for (const ReadyExtract& extract : ready) {
      if (service.stop.requested()) break;
      const PipelineResult result = load(extract);
      // One pass waits for nothing that another may bring.
      if (result.ending == Ending::mismatched) {
        intake.wait_again(extract, result.message, true, Moment::now());
      } else {
        intake.finished(extract, Moment::now());
      }
    }
    log_messages(intake);
    const bool settled = steady_clock::now() < enough ? intake.settled() : intake.claims_settled();
    if (ready.empty() && settled) {
      if (std::exchange(rechecked, true)) break;
      intake.recheck_archived(Moment::now());
      continue;
    }
    if (ready.empty()) {
      const Moment now = Moment::now();
      pollfd stop{service.stop.fd(), POLLIN, 0};
      (void)::poll(&stop, 1,
                   poll_timeout(std::min(intake.next_deadline(),
                                         std::max(enough, now.steady + milliseconds(10))),
                                now.steady));
    }
    intake.step(Moment::now());
  }
  total.waiting = total.gave_up + intake.waiting();
  total.faults = intake.faults();
  for (const std::string& message :
       SourceWatch(service.config, ledger).step(std::chrono::system_clock::now())) {
    spdlog::warn("{}", message);
  }
  tidy(service, std::chrono::system_clock::now());
  return total;
}

void tidy(const Service& service, std::chrono::system_clock::time_point now) {
  // A file of done/ or csv/ says by its name which feeds it can belong to; the one that keeps
  // longest counts.
  const auto keep = [&](milliseconds FeedConfig::*member) {
    return [&service, member](const std::string& relative) {
      std::string name = relative.substr(relative.rfind('/') + 1);
      // csv/ has NAME.<claim id>.csv, and a sidecar beside it.
      if (name.ends_with(".sidecar")) name.resize(name.size() - std::strlen(".sidecar"));
      if (name.ends_with(".csv") && relative.starts_with("csv/")) {
        const std::size_t dot = name.rfind('.', name.size() - std::strlen(".csv") - 1);
        if (dot != std::string::npos &&
            is_claim_id(std::string_view(name).substr(
                dot + 1, name.size() - std::strlen(".csv") - dot - 1))) {
          name.resize(dot);
        }
      }
      milliseconds longest{0};
      bool matched = false;
      for (const FeedConfig& feed : service.config.feeds) {
        const std::string own = name.substr(0, name.find('~'));
        const NameKind kind = judge_name(own, feed.match).kind;
        if (kind != NameKind::candidate && kind != NameKind::manifest) continue;
        longest = std::max(longest, feed.*member);
        matched = true;
      }
      if (!matched) {
        for (const FeedConfig& feed : service.config.feeds) {
          longest = std::max(longest, feed.*member);
        }
      }
      return std::chrono::floor<std::chrono::seconds>(longest);
    };
  };
  for (const auto& expired : {expire_done(service.spool, keep(&FeedConfig::keep_done), now),
                              expire_csv(service.spool, keep(&FeedConfig::keep_csv), now)}) {
    if (!expired) {
      spdlog::warn("{}", expired.error().message);
      continue;
    }
    for (const Error& error : expired->errors) spdlog::warn("{}", error.message);
    if (expired->files > 0) {
      spdlog::info("deleted {} files ({} bytes) that were kept long enough", expired->files,
                   expired->bytes);
    }
  }
  if (auto removed = service.spool.remove_temporaries(now); !removed) {
    spdlog::warn("{}", removed.error().message);
  }
}

}  // namespace caravel::watcher
