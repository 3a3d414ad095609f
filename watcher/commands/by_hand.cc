#include "watcher/commands/by_hand.h"

#include <fcntl.h>

#include <filesystem>

#include <fmt/format.h>

#include "base/file.h"
#include "base/text.h"
#include "watcher/commands/progress.h"
#include "watcher/files/completeness.h"
#include "watcher/files/host_name.h"
#include "watcher/files/name_rules.h"
#include "watcher/ledger/extracts.h"
#include "watcher/ledger/manifests.h"

namespace caravel::watcher {
namespace {

/// How long a person is kept waiting for a store that does not answer.
constexpr std::chrono::seconds kPatience{60};

/// Refuses a file that somebody is writing: it may be read when it is whole.
Result<FileStamp> look_before_reading(const std::string& path) {
  CARAVEL_ASSIGN_OR_RETURN(auto fd, open_file(path, O_RDONLY | O_NONBLOCK));
  if (writer_state(fd.get()) == WriterState::present) {
    return fail(ErrorKind::retry, "a process has it open for writing: try again when it is closed");
  }
  return stamp_of_fd(fd.get());
}

}  // namespace

std::optional<Manifest> manifest_beside(const std::string& path) {
  // Of what was packed by hand, the manifest may be that of the plain file.
  for (const std::string& extract : {path, std::string(base_name(path))}) {
    const auto text = read_file(manifest_name(extract), kMaxManifestBytes);
    if (!text) continue;
    if (auto manifest = parse_manifest(*text)) return std::move(*manifest);
  }
  return std::nullopt;
}

void Totals::add(const PipelineResult& result) {
  counts_.lines += result.counts.lines;
  counts_.stored += result.counts.stored;
  counts_.already_there += result.counts.already_there;
  counts_.differs += result.counts.differs;
  counts_.replaced += result.counts.replaced;
  counts_.dropped += result.counts.dropped;
  counts_.rejected += result.counts.rejected;
  ++(result.ending == Ending::done ? done_ : failed_);
  usage_ = usage_ || result.wants_year;
}

std::string Totals::text() const {
  std::string text = fmt::format(
      "{} files done, {} failed: {} lines: {} stored, {} already there, {} dropped, {} "
      "rejected",
      done_, failed_, counts_.lines, counts_.stored, counts_.already_there, counts_.dropped,
      counts_.rejected);
  if (counts_.replaced > 0) text += fmt::format("; {} replaced", counts_.replaced);
  if (counts_.differs > 0) {
    text +=
        fmt::format("; {} differ from what is stored (--reprocess replaces them)", counts_.differs);
  }
  return text;
}

int Totals::exit_code() const {
  if (usage_) return kExitUsage;
  if (failed_ > 0) return kExitFailed;
  return counts_.rejected > 0 ? kExitRejects : kExitGood;
}

int load_by_hand(const CommandCall& call, const Settings& settings, const FeedConfig& feed,
                 const std::vector<std::string>& files,
                 const std::function<void(const std::string&, ExtractJob&)>& prepare) {
  auto spool = Spool::open(settings.config.spool);
  if (!spool) return report_error(spool.error());
  auto ledger = Ledger::open(settings.config.ledger_path());
  if (!ledger) return report_error(ledger.error());
  const uploader::StoreConfig& store_config = *settings.config.find_store(feed.store);
  const auto store = uploader::make_store(store_config);

  Totals totals;
  for (const std::string& file : files) {
    if (call.stop.requested()) break;
    const auto now = std::chrono::system_clock::now();
    ExtractJob job;
    job.claim.id = make_claim_id(now);
    job.claim.name = std::filesystem::path(file).filename().string();
    job.path = std::filesystem::absolute(file).lexically_normal().string();
    const std::string shown = printable(job.claim.name);
    job.last_chance = true;  // nobody waits for another transfer here
    prepare(file, job);

    Progress progress(shown);
    PipelineObserver observer;
    observer.on_format = [&](std::uint64_t bytes, std::uint64_t of) {
      progress.show("formatting", bytes, of, "bytes");
    };
    observer.on_upload = [&](std::uint64_t rows, std::uint64_t of) {
      progress.show("storing", rows, of, "rows");
    };
    observer.on_wait = [&](const std::string& why, std::chrono::milliseconds wait) {
      progress.say(fmt::format("{}: waits, next try in {:.1f} s: {}", shown,
                               static_cast<double>(wait.count()) / 1000, why));
    };
    observer.on_note = [&](const std::string& text) {
      progress.say(fmt::format("{}: {}", shown, text));
    };
    PipelineResult result;
    auto stamp = look_before_reading(file);
    if (stamp) {
      NewClaim row;
      row.claim = job.claim.id;
      row.feed = feed.name;
      row.name = job.claim.name;
      row.origin = job.origin;
      row.path = job.path;
      row.size = stamp->size;
      row.mtime_ns = stamp->mtime_ns;
      row.store = feed.store;
      row.host = host_name();
      if (auto committed = ledger->extracts().commit_claims({row}, now); !committed) {
        return report_error(committed.error());
      }
      if (!job.prepared) job.beside = manifest_beside(job.path);
      if (job.beside) {
        auto added = ledger->manifests().add(feed.name, job.claim.name, *job.beside, now);
        if (!added) return report_error(added.error());
      }
      result = Pipeline({settings.config, feed, settings.formats, *spool, *ledger, *store,
                         store_config, call.stop, observer, kPatience})
                   .run(job);
      // Nobody takes it up again: what a person broke off is over.
      if (result.ending != Ending::done && result.ending != Ending::failed) {
        (void)ledger->extracts().finish_failed(job.claim.id, "broken off: " + result.message, 0,
                                               std::chrono::system_clock::now());
      }
    } else {
      result.ending = Ending::gave_up;
      result.message = stamp.error().message;
    }
    if (result.ending == Ending::done) {
      const LineCounts& counts = result.counts;
      progress.say(fmt::format(
          "{}: {} lines: {} stored, {} already there, {} dropped, {} rejected{}", shown,
          counts.lines, counts.stored, counts.already_there, counts.dropped, counts.rejected,
          result.format.empty() ? "" : fmt::format(" ({})", result.format)));
    } else {
      progress.say(fmt::format("{}: {}", shown, result.message));
    }
    totals.add(result);
    if (result.ending == Ending::gave_up && stamp) break;  // the store is down for the next one too
  }
  if (files.size() > 1) fmt::print(stderr, "caravel: {}\n", totals.text());
  if (call.stop.requested()) {
    fmt::print(stderr,
               "caravel: stopped; run it again: what is stored already is not stored twice\n");
    return kExitFailed;
  }
  return totals.exit_code();
}

}  // namespace caravel::watcher
