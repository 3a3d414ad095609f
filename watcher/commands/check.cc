// caravel check
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fmt/format.h>

#include "uploader/store.h"
#include "watcher/commands/setup.h"
#include "watcher/files/directory.h"
#include "watcher/files/file_system.h"
#include "watcher/ledger/ledger.h"
#include "watcher/ledger/stores.h"
#include "watcher/service/console.h"

namespace caravel::watcher {
namespace {

/// Prints findings; remembers whether something would not work.
class Findings {
 public:
  void good(const std::string& text) { show("ok   ", text); }
  void note(const std::string& text) { show("note ", text); }
  void bad(const std::string& text) {
    show("FAULT", text);
    good_ = false;
  }
  [[nodiscard]] bool all_good() const { return good_; }
  /// An error if stdout did not take all findings.
  [[nodiscard]] const Result<>& printed() const { return printed_; }

 private:
  /// At once, because a store may let the next finding wait.
  void show(std::string_view mark, const std::string& text) {
    if (printed_) printed_ = print(format_shown("  {}  {}", mark, text) + "\n");
  }

  Result<> printed_;
  bool good_ = true;
};

/// The directory that is there, or the nearest one above it in which it would be made.
std::filesystem::path nearest_existing(std::filesystem::path path) {
  std::error_code error;
  while (!std::filesystem::exists(path, error) && path.has_parent_path() &&
         path != path.parent_path()) {
    path = path.parent_path();
  }
  return path;
}

/// `ours`: a directory that Caravel makes if it is missing; others must be there.
void check_writable(const std::string& what, const std::string& path, Findings& findings,
                    bool ours = true) {
  // Where Caravel will make the directory, the rights on the one above decide.
  const auto existing = nearest_existing(path);
  if (!ours && existing != path) {
    findings.bad(fmt::format("{} {}: is missing; make it, writable for its senders", what, path));
  } else if (::access(existing.c_str(), R_OK | W_OK | X_OK) != 0) {
    // access(2) answers for the real user: `check` is meant to be run as the service's user.
    findings.bad(fmt::format("{} {}: {}: {}", what, path, existing.string(), std::strerror(errno)));
  } else if (existing != path) {
    findings.good(fmt::format("{} {}: will be made", what, path));
  } else {
    findings.good(fmt::format("{} {}", what, path));
  }
}

/// Whether the drop directory can be watched, and how it is known there that a file is whole.
void check_drop(const Config& config, const FeedConfig& feed, Findings& findings) {
  check_writable(fmt::format("feed {}: drop directory", feed.name), feed.drop, findings,
                 feed.drop.starts_with(config.spool + "/"));
  // If the directory is missing, check_writable() has said so.
  auto drop = open_directory(feed.drop);
  if (!drop) return;
  auto traits = file_system_of(drop->get());
  if (!traits) return findings.bad(traits.error().message);
  if (!traits->events || traits->poll) {
    findings.note(
        fmt::format("{}: {} reports few or none of its new files, so the directory is scanned "
                    "every few seconds",
                    feed.drop, traits->name));
  }
  if (!traits->leases_tell) {
    findings.note(
        fmt::format("{}: {} cannot say whether a file is open for writing, so a file counts as "
                    "whole once it was unchanged for {} s",
                    feed.drop, traits->name, feed.settle_without_lease.count() / 1000));
    return;
  }
  // The probe makes a file, so it is done in our own work/ and never in a drop directory. Before
  // the first start there is no work/, and nothing to say.
  auto work = open_directory(config.spool + "/work");
  if (!work) return;
  auto probe = probe_leases(work->get());
  if (!probe) return findings.bad(probe.error().message);
  if (!probe->own_files || !probe->others_files) {
    findings.note(
        fmt::format("{}: no read lease on {} ({}): such a file counts as whole once it was "
                    "unchanged for {} s. With CAP_LEASE, leases work",
                    feed.drop, probe->own_files ? "files of other users" : "files here",
                    probe->reason, feed.settle_without_lease.count() / 1000));
  }
}

/// Asks each store whether it would take rows. Nothing is made.
void check_stores(const Config& config, Findings& findings) {
  auto ledger = Ledger::open(config.ledger_path(), Ledger::Mode::read_only);
  for (const auto& store_config : config.stores) {
    // Without a ledger nothing was ever stored: a missing database will be made then.
    const auto fresh =
        ledger ? ledger->stores().may_create(store_place(store_config)) : Result<bool>(true);
    auto answer = uploader::make_store(store_config)->check(fresh.value_or(true));
    if (answer) {
      findings.good(fmt::format("store {}: {}", store_config.name, *answer));
    } else {
      findings.bad(fmt::format("store {}: {}", store_config.name, answer.error().message));
    }
  }
}

Result<int> run_check(const CommandCall& call) {
  CARAVEL_ASSIGN_OR_RETURN(const Settings settings, load_settings(call, Secrets::read));
  const Config& config = settings.config;
  Findings findings;
  findings.good(fmt::format("configuration {}: {} feeds, {} stores", config.file,
                            config.feeds.size(), config.stores.size()));
  if (config.feeds.empty()) findings.note("no feed is configured: nothing would be watched");
  findings.good(fmt::format("formats: {}", fmt::join(settings.formats.names(), ", ")));
  check_writable("spool", config.spool, findings);
  check_writable("state", config.state, findings);
  for (const FeedConfig& feed : config.feeds) check_drop(config, feed, findings);
  check_stores(config, findings);
  CARAVEL_TRY(findings.printed());
  return findings.all_good() ? kExitGood : kExitFailed;
}

}  // namespace

Command check_command() {
  return {.name = "check",
          .about = "validate the configuration, try the stores; change nothing",
          .help =
              "Validates the configuration and the formats, tries the stores, looks at the\n"
              "directories. Changes nothing. Exit code 2 if the configuration is wrong, 1 if\n"
              "something would not work.",
          .run = run_check};
}

}  // namespace caravel::watcher
