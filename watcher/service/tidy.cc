#include "watcher/service/tidy.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "watcher/files/directory.h"
#include "watcher/files/name_rules.h"
#include "watcher/ledger/history.h"
#include "watcher/privacy/key_folder.h"
#include "watcher/service/program_log.h"
#include "watcher/spool/archive.h"
#include "watcher/spool/by_hand.h"
#include "watcher/spool/claim.h"
#include "watcher/spool/expire.h"
#include "watcher/spool/originals.h"

namespace caravel::watcher {
namespace {

using std::chrono::milliseconds;

void cut_ending(std::string_view& name, std::string_view ending) {
  if (name.ends_with(ending)) name.remove_suffix(ending.size());
}

/// The name that an extract came with, from the path of a file relative to the spool. In done/ a
/// file is called NAME, or as original_name() has it, in csv/ NAME.<claim id>.csv or NAME.<claim
/// id>.csv.sidecar.
std::string_view name_it_came_with(std::string_view relative) {
  const bool in_csv = relative.starts_with("csv/");
  std::string_view name = relative.substr(relative.rfind('/') + 1);
  if (in_csv) {
    std::string_view stem = name;
    cut_ending(stem, ".sidecar");
    const std::size_t whole = stem.size();
    cut_ending(stem, ".csv");
    const std::string_view id = claim_id_at_end(stem);
    // Without a claim id it is no file of ours, but one that a person put there.
    if (stem.size() < whole && !id.empty()) name = stem.substr(0, stem.size() - id.size() - 1);
  }
  return in_csv ? name : original_name(name);
}

/// How long a file is kept. Its name says which feeds it can belong to; the one that keeps longest
/// counts. A file of no feed (one that is not configured any more) is kept as long as any says.
milliseconds longest_of(const std::vector<FeedConfig>& feeds, std::string_view name,
                        milliseconds FeedConfig::*keep) {
  milliseconds of_its_feeds{0};
  milliseconds of_all{0};
  bool known = false;
  for (const FeedConfig& feed : feeds) {
    of_all = std::max(of_all, feed.*keep);
    const NameKind kind = judge_name(name, feed.match).kind;
    if (kind != NameKind::candidate && kind != NameKind::manifest) continue;
    of_its_feeds = std::max(of_its_feeds, feed.*keep);
    known = true;
  }
  return known ? of_its_feeds : of_all;
}

/// An original that rejects are kept in by their place stays as long as they do.
Result<Expired> expire_originals(const Spool& spool, const KeepFor& keep, Time now) {
  CARAVEL_ASSIGN_OR_RETURN(const auto needed, originals_in_use(spool));
  return expire_done(
      spool,
      [&](const std::string& relative) {
        return is_in_use(needed, spool, relative) ? std::chrono::seconds::max() : keep(relative);
      },
      now);
}

/// One line for all that was deleted, and one for each error.
void log_expired(const Result<Expired>& expired) {
  if (!expired) {
    log_warning("{}", expired.error().message);
    return;
  }
  for (const Error& error : expired->errors) log_warning("{}", error.message);
  if (expired->files > 0) {
    log_info("deleted {} files ({} bytes) that were kept long enough", expired->files,
             expired->bytes);
  }
}

/// When the oldest extract was claimed that waits in work/; nothing if none does.
std::optional<Time> oldest_claim(const Spool& spool) {
  std::string oldest;
  (void)for_each_name(spool.work_fd(), [&](const std::string& id) {
    if (time_of_claim_id(id) && (oldest.empty() || id < oldest)) oldest = id;
    return true;
  });
  return oldest.empty() ? std::nullopt : time_of_claim_id(oldest);
}

void forget_old_salts(const Service& service, Time now) {
  const auto forgotten =
      forget_salts(service.config.state, service.formats, oldest_claim(service.spool), now);
  if (!forgotten) {
    log_warning("salts: {}", forgotten.error().message);
  } else if (*forgotten > 0) {
    log_info("forgot the salts of {} days", *forgotten);
  }
}

}  // namespace

void log_broken_off_loads(const Service& service, Ledger& ledger, Time now) {
  const auto said = settle_broken_off_loads(service.config.state, &service.spool, ledger, now);
  if (!said) {
    log_warning("loads that were broken off: {}", said.error().message);
    return;
  }
  for (const std::string& text : *said) log_warning("{}", text);
}

void tidy(const Service& service, Time now) {
  const auto keep_for = [&](milliseconds FeedConfig::*keep) {
    return [&service, keep](const std::string& relative) {
      return std::chrono::floor<std::chrono::seconds>(
          longest_of(service.config.feeds, name_it_came_with(relative), keep));
    };
  };
  // Each for itself: a directory that cannot be read keeps nothing else from being tidied.
  log_expired(expire_originals(service.spool, keep_for(&FeedConfig::keep_done), now));
  log_expired(expire_csv(service.spool, keep_for(&FeedConfig::keep_csv), now));
  forget_old_salts(service, now);
  // Temporaries go without a line in the log: nobody but us knew of them.
  if (auto removed = service.spool.remove_temporaries(now); !removed) {
    log_warning("{}", removed.error().message);
  }
}

void say_if_ledger_is_new(const Service& service, Ledger& ledger) {
  const auto is_empty = ledger.history().is_empty();
  if (!is_empty || !*is_empty) return;
  bool archived = false;
  const auto listed = for_each_name(service.spool.done_fd(), [&](const std::string&) {
    archived = true;
    return false;
  });
  if (!listed || !archived) return;
  log_warning(
      "the ledger {} knows of no extract, though done/ holds some: was it lost? `caravel ledger "
      "rebuild` recovers what done/, failed/ and the stores know",
      service.config.ledger_path());
}

}  // namespace caravel::watcher
