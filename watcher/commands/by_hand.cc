#include "watcher/commands/by_hand.h"

#include <fcntl.h>

#include <utility>

#include <fmt/format.h>

#include "base/file.h"
#include "base/text.h"
#include "base/units.h"
#include "watcher/files/completeness.h"
#include "watcher/files/host_name.h"
#include "watcher/files/name_rules.h"
#include "watcher/ledger/extracts.h"
#include "watcher/ledger/manifests.h"
#include "watcher/service/console.h"
#include "watcher/spool/by_hand.h"
#include "watcher/terminal/progress.h"

namespace caravel::watcher {
namespace {

/// Refuses a file that somebody is writing: it may be read when it is whole.
Result<FileStamp> look_before_reading(const std::string& path) {
  CARAVEL_ASSIGN_OR_RETURN(auto fd, open_file(path, O_RDONLY | O_NONBLOCK));
  if (writer_state(fd.get()) == WriterState::present) {
    return fail(ErrorKind::retry, "a process has it open for writing: try again when it is closed");
  }
  return stamp_of_fd(fd.get());
}

/// The file gets a row in the ledger, as a claim would, and its manifest is remembered. Before
/// anything is stored: of a load that is killed, `explain` can say later whose rows these are.
Result<> enter_in_ledger(const PipelineTools& tools, const ExtractJob& job, const FileStamp& stamp,
                         Time now) {
  NewClaim row;
  row.claim = job.claim.id;
  row.feed = tools.feed.name;
  row.name = job.claim.name;
  row.origin = job.origin;
  row.path = job.path;
  row.size = stamp.size;
  row.mtime_ns = stamp.mtime_ns;
  row.store = tools.feed.store;
  row.host = host_name();
  CARAVEL_TRY(tools.ledger.extracts().commit_claims({row}, now));
  if (!job.beside) return {};
  return tools.ledger.manifests().add(tools.feed.name, job.claim.name, *job.beside, now);
}

/// --wait: how long a store may be down; nothing: for ever.
Result<std::optional<std::chrono::milliseconds>> wait_of(const Arguments& arguments) {
  const auto text = arguments.get("wait");
  if (!text) return std::nullopt;
  auto wait = parse_duration(*text);
  if (!wait) return tl::unexpected(with_context("--wait", std::move(wait).error()));
  return *wait;
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

Result<PipelineResult> load_file(const PipelineTools& tools, ExtractJob job, Time now) {
  const auto stamp = look_before_reading(job.path);
  if (!stamp) {
    PipelineResult result;
    result.ending = Ending::not_ready;
    result.message = stamp.error().message;
    return result;
  }
  // A CSV with its sidecar (`prepared`) has the ids of its rows already.
  if (!job.prepared) job.beside = manifest_beside(job.path);
  // Until this command ends, however it does: then the next one settles what it has left.
  CARAVEL_ASSIGN_OR_RETURN(const auto at_work,
                           LoadByHand::begin(tools.service.config.state, job.claim.id));
  CARAVEL_TRY(enter_in_ledger(tools, job, *stamp, now));
  PipelineResult result = run_pipeline(tools, job);
  if (result.ending != Ending::done && result.ending != Ending::failed) {
    // No restart takes up a person's file: what was broken off is over.
    (void)tools.ledger.extracts().finish_broken_off(job.claim.id, "not loaded: " + result.message,
                                                    std::chrono::system_clock::now());
  }
  return result;
}

PipelineObserver show_on(Progress& progress, const std::string& name) {
  PipelineObserver observer;
  observer.on_format = [&progress](std::uint64_t bytes, std::uint64_t of) {
    progress.show("formatting", bytes, of, "bytes");
  };
  observer.on_upload = [&progress](std::uint64_t rows, std::uint64_t of) {
    progress.show("storing", rows, of, "rows");
  };
  observer.on_upgrade = [&progress](std::uint64_t rows, std::uint64_t of) {
    progress.show("bringing the store's table up to date", rows, of, "rows");
  };
  observer.on_wait = [&progress, name](const std::string& why, std::chrono::milliseconds wait) {
    progress.say(fmt::format("{}: waits, next try in {:.1f} s: {}", name,
                             static_cast<double>(wait.count()) / 1000, why));
  };
  observer.on_note = [&progress, name](const std::string& text) {
    progress.say(fmt::format("{}: {}", name, text));
  };
  return observer;
}

std::string what_became_of_it(const PipelineResult& result) {
  if (result.ending == Ending::failed) return result.message;
  if (result.ending != Ending::done) return "not loaded: " + result.message;
  const LineCounts& counts = result.counts;
  std::string text =
      fmt::format("{} lines: {} stored, {} already there, {} dropped, {} rejected{}", counts.lines,
                  counts.stored, counts.already_there, counts.dropped, counts.rejected,
                  result.format.empty() ? "" : fmt::format(" ({})", result.format));
  if (counts.differs > 0) {
    text +=
        fmt::format("; {} differ from what is stored: --reprocess replaces them", counts.differs);
  }
  return text;
}

void Totals::add(const PipelineResult& result) {
  counts_.lines += result.counts.lines;
  counts_.stored += result.counts.stored;
  counts_.already_there += result.counts.already_there;
  counts_.differs += result.counts.differs;
  counts_.replaced += result.counts.replaced;
  counts_.dropped += result.counts.dropped;
  counts_.rejected += result.counts.rejected;
  ++(result.ending == Ending::done     ? done_
     : result.ending == Ending::failed ? failed_
                                       : not_loaded_);
  usage_ = usage_ || result.wants_year;
}

std::string Totals::text() const {
  std::string text = fmt::format(
      "{} files done, {} failed{}: {} lines: {} stored, {} already there, {} dropped, {} "
      "rejected",
      done_, failed_, not_loaded_ > 0 ? fmt::format(", {} not loaded", not_loaded_) : "",
      counts_.lines, counts_.stored, counts_.already_there, counts_.dropped, counts_.rejected);
  if (counts_.replaced > 0) text += fmt::format("; {} replaced", counts_.replaced);
  if (counts_.differs > 0) {
    text +=
        fmt::format("; {} differ from what is stored (--reprocess replaces them)", counts_.differs);
  }
  return text;
}

/// A missing --year is an error of the command line. Its exit code goes before that of failed
/// files, because a person can mend it at once.
int Totals::exit_code() const {
  if (usage_) return kExitUsage;
  if (failed_ + not_loaded_ > 0) return kExitFailed;
  return counts_.rejected > 0 ? kExitRejects : kExitGood;
}

int load_by_hand(const CommandCall& call, const Settings& settings, const FeedConfig& feed,
                 const std::vector<std::string>& files,
                 const std::function<void(const std::string&, ExtractJob&)>& prepare) {
  // Without the spool's lock, beside a `watch`: the files are read where they lie, and what is
  // written in csv/ and rejects/ has a claim id of our own in its name, or an owner.
  const auto wait = wait_of(call.arguments);
  if (!wait) return report_error(wait.error());
  const auto spool = Spool::open(settings.config.spool, Room(settings.config.min_free));
  if (!spool) return report_error(spool.error());
  auto ledger = Ledger::open(settings.config.ledger_path(), Ledger::Mode::read_write, &call.stop);
  if (!ledger) return report_error(ledger.error());
  const auto settled = settle_broken_off_loads(settings.config.state, &*spool, *ledger,
                                               std::chrono::system_clock::now());
  if (!settled) return report_error(settled.error());
  for (const std::string& text : *settled) say("{}", text);
  const Service service{settings.config, settings.formats, *spool, call.stop, Origin::process};
  const auto store = uploader::make_store(*settings.config.find_store(feed.store));

  Totals totals;
  for (const std::string& file : files) {
    if (call.stop.requested()) break;
    // The id's time: each file has its own, in the order of the command line.
    const Time now = std::chrono::system_clock::now();
    ExtractJob job = job_of_file(file, now);
    prepare(file, job);
    const std::string shown = printable(job.claim.name);
    Progress progress(shown);
    PipelineTools tools{service, feed, *ledger, *store, show_on(progress, shown), *wait};
    if (!*wait) tools.patience_otherwise = kByHandPatience;
    const auto result = load_file(tools, std::move(job), now);
    if (!result) return report_error(result.error());
    progress.say(fmt::format("{}: {}", shown, what_became_of_it(*result)));
    totals.add(*result);
    if (result->ending == Ending::gave_up) break;  // the store is down for the next file too
  }
  if (files.size() > 1) say("{}", totals.text());
  if (call.stop.requested()) {
    say("stopped; run it again: what is stored already is not stored twice");
    return kExitFailed;
  }
  return totals.exit_code();
}

}  // namespace caravel::watcher
