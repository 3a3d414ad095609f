// caravel process --verify: asks the store for what extracts brought and sends what is missing.
#include <algorithm>
#include <unordered_set>

#include <fmt/format.h>

#include "base/text.h"
#include "watcher/commands/by_hand.h"
#include "watcher/files/name_rules.h"
#include "watcher/ledger/history.h"
#include "watcher/service/console.h"
#include "watcher/spool/archive.h"
#include "watcher/terminal/progress.h"
#include "watcher/verify/verify.h"

namespace caravel::watcher {
namespace {

/// Extracts of one look into the ledger: a long history is not held in memory.
constexpr std::size_t kPage = 200;

/// What became of all that was asked about.
struct VerifyTotals {
  std::uint64_t asked = 0;  // extracts
  std::uint64_t rows = 0;
  std::uint64_t lacking = 0;  // extracts of which something was missing
  std::uint64_t missing = 0;  // rows
  std::uint64_t repaired = 0;
  std::uint64_t not_asked = 0;

  [[nodiscard]] std::string text() const {
    return fmt::format(
        "{} extracts with {} rows asked about: {} rows of {} extracts were missing, {} extracts "
        "are whole again; {} could not be asked about",
        asked, rows, missing, lacking, repaired, not_asked);
  }
  [[nodiscard]] int exit_code() const {
    return not_asked > 0 || repaired < lacking ? kExitFailed : kExitGood;
  }
};

/// "3 of 251 rows are missing (hrt:…), and its feed document".
std::string what_is_missing(const Verified& verified) {
  const uploader::Missing& missing = verified.missing;
  if (missing.rows == 0) return "its feed document is missing";
  return fmt::format("{} of {} rows are missing ({}{}){}", missing.rows, missing.asked,
                     fmt::join(missing.examples, ", "),
                     missing.rows > missing.examples.size() ? ", …" : "",
                     missing.feed_document ? ", and its feed document" : "");
}

/// The files of one feed, each asked about and, if something is missing, loaded again.
class FeedVerifier {
 public:
  FeedVerifier(const CommandCall& call, const Service& service, const FeedConfig& feed,
               Ledger& ledger, VerifyTotals& totals)
      : call_(call),
        service_(service),
        feed_(feed),
        ledger_(ledger),
        totals_(totals),
        store_(uploader::make_store(*service.config.find_store(feed.store))) {}

  /// False if there is no use in asking on: the store does not answer, or somebody said stop.
  /// `loaded` may be null. Errors: the ledger.
  Result<bool> verify(ExtractJob job, const Extract* loaded);
  /// All that the ledger knows as done since then.
  Result<bool> verify_since(Time since);

 private:
  Result<bool> repair(const PipelineTools& tools, ExtractJob job, Progress& progress);
  /// The job of an extract of the ledger: its bytes, as they were loaded. An error in words if it
  /// cannot be asked about.
  Result<ExtractJob> job_of(const Extract& extract) const;

  const CommandCall& call_;
  const Service& service_;
  const FeedConfig& feed_;
  Ledger& ledger_;
  VerifyTotals& totals_;
  std::unique_ptr<uploader::Store> store_;
  std::unordered_set<std::string> seen_;  // digests: content that came twice is asked about once
};

Result<bool> FeedVerifier::verify(ExtractJob job, const Extract* loaded) {
  const std::string shown = printable(job.claim.name);
  Progress progress(shown);
  const PipelineTools tools{service_,       feed_, ledger_, *store_, show_on(progress, shown),
                            kByHandPatience};
  const auto verified = verify_file(tools, job, loaded);
  if (!verified) {
    if (verified.error().kind == ErrorKind::stopped) return false;
    ++totals_.not_asked;
    progress.say(fmt::format("{}: not verified: {}", shown, verified.error().message));
    // What is wrong with one file says nothing of the next; a store that is down does.
    return verified.error().kind == ErrorKind::content;
  }
  ++totals_.asked;
  totals_.rows += verified->rows;
  if (!verified->has_loss(loaded)) {
    progress.say(fmt::format("{}: all {} rows are there", shown, verified->rows));
    return true;
  }
  ++totals_.lacking;
  totals_.missing += verified->missing.rows;
  progress.say(fmt::format("{}: {}", shown, what_is_missing(*verified)));
  if (call_.arguments.has("dry-run")) return true;
  return repair(tools, std::move(job), progress);
}

Result<bool> FeedVerifier::repair(const PipelineTools& tools, ExtractJob job, Progress& progress) {
  const std::string shown = printable(job.claim.name);
  CARAVEL_ASSIGN_OR_RETURN(const auto result,
                           load_file(tools, std::move(job), std::chrono::system_clock::now()));
  progress.say(fmt::format("{}: {}", shown, what_became_of_it(result)));
  if (result.ending == Ending::done) ++totals_.repaired;
  return result.ending != Ending::gave_up && result.ending != Ending::stopped;
}

Result<ExtractJob> FeedVerifier::job_of(const Extract& extract) const {
  if (extract.origin == Origin::upload) {
    return fail(ErrorKind::content, "it was loaded by `caravel upload`: upload its CSV again");
  }
  ExtractJob job = job_of_file(path_of_done(extract), std::chrono::system_clock::now());
  // The archive gives the second file of a name another one.
  job.claim.name = extract.name;
  job.by_hand.format = service_.formats.find(extract.format);
  if (job.by_hand.format == nullptr && !extract.format.empty()) {
    return fail(ErrorKind::content, service_.formats.unknown_name_message(extract.format));
  }
  return job;
}

Result<bool> FeedVerifier::verify_since(Time since) {
  std::int64_t after = 0;
  for (;;) {
    CARAVEL_ASSIGN_OR_RETURN(const auto page,
                             ledger_.history().done_since(feed_.name, since, after, kPage));
    if (page.empty()) return true;
    for (const Extract& extract : page) {
      after = extract.id;
      if (call_.stop.requested()) return false;
      if (!seen_.insert(extract.sha256).second) continue;
      auto job = job_of(extract);
      if (!job) {
        ++totals_.not_asked;
        say("{}: not verified: {}", extract.name, job.error().message);
        continue;
      }
      CARAVEL_ASSIGN_OR_RETURN(const bool go_on, verify(std::move(*job), &extract));
      if (!go_on) return false;
    }
  }
}

Result<Time> time_of_option(const std::string& text) {
  for (const char* const rest : {"", "Z", ".000Z", "T00:00:00.000Z"}) {
    if (const auto time = parse_time_text(text + rest)) return *time;
  }
  return fail(
      ErrorKind::usage,
      fmt::format("--since {}: is no time; write YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS (UTC)", text));
}

/// Since when extracts are asked about; nothing if files are named instead.
Result<std::optional<Time>> since_of(const Arguments& arguments) {
  const auto since = arguments.get("since");
  const bool all = arguments.has("all");
  if ((since ? 1 : 0) + (all ? 1 : 0) + (arguments.operands.empty() ? 0 : 1) != 1) {
    return fail(ErrorKind::usage, "--verify goes with one of FILE…, --since DATE and --all");
  }
  if (arguments.has("reprocess")) {
    return fail(ErrorKind::usage, "--verify changes no row, so it does not go with --reprocess");
  }
  if (all) return Time{};
  if (!since) return std::nullopt;
  return time_of_option(*since);
}

}  // namespace

Result<int> verify_by_hand(const CommandCall& call, const Settings& settings,
                           const std::vector<std::string>& files, const ByHand& by_hand) {
  CARAVEL_ASSIGN_OR_RETURN(const auto since, since_of(call.arguments));
  CARAVEL_ASSIGN_OR_RETURN(const Spool spool, Spool::open(settings.config.spool));
  CARAVEL_ASSIGN_OR_RETURN(Ledger ledger, Ledger::open(settings.config.ledger_path()));
  const Service service{settings.config, settings.formats, spool, call.stop, Origin::process};
  const auto name = call.arguments.get("feed");
  VerifyTotals totals;
  for (const FeedConfig& feed : settings.config.feeds) {
    if (name && feed.name != *name) continue;
    FeedVerifier verifier(call, service, feed, ledger, totals);
    if (since) {
      // A store that is down says nothing of another feed's.
      CARAVEL_TRY(verifier.verify_since(*since));
    }
    for (const std::string& file : files) {
      ExtractJob job = job_of_file(file, std::chrono::system_clock::now());
      job.by_hand = by_hand;
      job.beside = manifest_beside(file);
      CARAVEL_ASSIGN_OR_RETURN(const bool go_on, verifier.verify(std::move(job), nullptr));
      if (!go_on) break;
    }
  }
  say("{}", totals.text());
  return call.stop.requested() ? kExitFailed : totals.exit_code();
}

}  // namespace caravel::watcher
