// The directory of published extracts: publishing, counting, what was sent.
//
//   OUTBOX/.NAME.tmp, .NAME.manifest.tmp   being built; senders and drop directories pass over dots
//   OUTBOX/NAME.manifest                   gets its name before its extract: whoever sees an
//   OUTBOX/NAME                            extract finds its manifest
//   OUTBOX/sent/NAME, NAME.manifest        delivered by --send; deleted when old, or for room
//
// Each file gets its name by one rename(2), which never replaces another file. Other programs may
// take files out of the outbox at any time, so a file that is not there means nothing, with one
// exception: a temporary file that was synced before the state spoke of it, and is gone, has been
// published.
// A new name is durable only after sync_names(); before that, the announcement in the state file
// stands for it. docs/tail.md, "The outbox" and "The state file", has the rest.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "watcher/exchange/manifest.h"
#include "watcher/tail/files/disk.h"
#include "watcher/tail/files/log_file.h"

namespace caravel::tail {

struct OutboxFile {
  std::string name;  // of the extract
  std::string run;
  std::uint64_t sequence = 0;
  std::uint64_t bytes = 0;   // with its manifest
  std::int64_t changed = 0;  // ctime, nanoseconds: when it came to where it is
};

class Outbox {
 public:
  Outbox(Disk& disk, std::string directory) : disk_(disk), directory_(std::move(directory)) {}

  /// Creates the directory (0750) if there is none. Returns which directory it is: another one than
  /// before, if a file system was mounted there since, or unmounted.
  [[nodiscard]] Result<FileId> open();

  [[nodiscard]] const std::string& directory() const { return directory_; }
  [[nodiscard]] std::string path(std::string_view name) const;
  [[nodiscard]] std::string sent_path(std::string_view name) const;
  /// Where an extract is built; begins with a dot, so senders and drop directories pass it over.
  [[nodiscard]] std::string temporary_path(std::string_view name) const;

  /// The extracts that wait (or were sent), by run and sequence.
  [[nodiscard]] Result<std::vector<OutboxFile>> waiting() const { return list(directory_); }
  [[nodiscard]] Result<std::vector<OutboxFile>> sent() const { return list(directory_ + "/sent"); }

  /// Whether this extract or its manifest is there, waiting or sent.
  [[nodiscard]] Result<bool> knows(std::string_view name) const;

  /// Writes the manifest's temporary file; syncing it is left to the caller.
  [[nodiscard]] Result<UniqueFd> prepare_manifest(const watcher::Manifest& manifest);
  /// Gives the manifest, then the extract its name. True: the extract is published now, or was
  /// before. False: another file has the name, or the temporary file is damaged. Its content is
  /// only looked at with `recover`, for after a crash. May be repeated after any failure. The new
  /// names are durable after sync_names().
  [[nodiscard]] Result<bool> publish(const watcher::Manifest& manifest, bool recover);
  /// Deletes both temporary files.
  [[nodiscard]] Result<> discard(const watcher::Manifest& manifest);
  /// Makes all names durable; with `if_needed`, only if some were published since.
  [[nodiscard]] Result<> sync_names(bool if_needed);
  /// The name of the extract that a manifest speaks of.
  [[nodiscard]] static std::string name_of(const watcher::Manifest& manifest);

  /// Moves a sent extract and its manifest to sent/.
  [[nodiscard]] Result<> keep_as_sent(const std::string& name);
  /// Moves extract and manifest back from sent/, the manifest first. False: sent/ has no such
  /// extract.
  [[nodiscard]] Result<bool> resend(std::string_view run, std::uint64_t sequence);
  /// Deletes extracts that were sent before `oldest`, then further sent ones, the oldest first,
  /// until outbox and sent/ together hold at most `max_bytes`. Returns how many bytes they hold
  /// then.
  [[nodiscard]] Result<std::uint64_t> expire(std::chrono::system_clock::time_point oldest,
                                             std::uint64_t max_bytes);

  /// For after a crash: deletes the temporary files of these runs, but not those of the extracts in
  /// `keep`, and moves manifests to sent/ that stayed behind their extracts.
  [[nodiscard]] Result<> sweep(const std::vector<std::string>& runs,
                               const std::vector<std::string>& keep);

  /// The newest manifest of a run with a sequence above `after`, waiting or sent.
  [[nodiscard]] Result<std::optional<watcher::Manifest>> newest_manifest(std::string_view run,
                                                                         std::uint64_t after) const;

 private:
  [[nodiscard]] static Result<std::vector<OutboxFile>> list(const std::string& directory);
  [[nodiscard]] Result<bool> publish_manifest(const watcher::Manifest& manifest, bool recover);
  Result<> sweep_sent(const std::vector<std::string>& runs);

  Disk& disk_;
  std::string directory_;
  bool unsynced_ = false;
};

}  // namespace caravel::tail
