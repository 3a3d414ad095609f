#include "watcher/tail/logs/catch_up.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "base/text.h"
#include "watcher/tail/files/log_file.h"
#include "watcher/tail/names/siblings.h"

namespace caravel::tail {
namespace {

/// The position behind the manifest's bytes in `file`; nothing if it is not the file that the
/// manifest speaks of, or has other bytes there by now.
Result<std::optional<Position>> position_behind(const Sibling& file,
                                                const watcher::Manifest& manifest, Cutter& cutter) {
  if (file.packed || file.stamp.id.inode != manifest.inode || file.stamp.size < manifest.last) {
    return std::nullopt;
  }
  CARAVEL_ASSIGN_OR_RETURN(auto fd, open_log(file.path));
  // All of the extract's bytes are read, because an inode number alone proves nothing. This happens
  // once, after a backup was restored.
  const auto read = cutter.read(fd.get(), {manifest.first, manifest.last});
  // A file that cannot be read may be the one: to take it for another would call it lost.
  if (!read && read.error().system != 0) {
    return tl::unexpected(with_context(file.path + ": bytes " + std::to_string(manifest.first) +
                                           " to " + std::to_string(manifest.last) +
                                           " cannot be compared with extract " +
                                           std::to_string(manifest.sequence),
                                       read.error()));
  }
  if (!read || read->sha256 != manifest.sha256) return std::nullopt;
  Position position;
  position.id = file.stamp.id;
  position.modified = file.stamp.modified;
  CARAVEL_TRY(move_to(fd.get(), manifest.last, position));
  return position;
}

/// For a file that is gone: the place in it, with digests that no file has. The search then says
/// that the file is lost, and goes on with what was written after it.
Position position_in_lost_file(const watcher::Manifest& manifest) {
  Position position;
  position.id = {manifest.device, manifest.inode, 0};
  position.offset = manifest.last;
  // No digest is "-", and the state file takes it (kNoDigest there).
  position.head = position.tail = "-";
  position.modified =
      std::chrono::duration_cast<std::chrono::nanoseconds>(manifest.cut.time_since_epoch()).count();
  return position;
}

/// Looks for the manifest's file among the log and its rotated files.
Result<Position> find_position(const LogState& log, const watcher::Manifest& manifest,
                               Cutter& cutter) {
  CARAVEL_ASSIGN_OR_RETURN(const auto live, stamp_of(log.log));
  CARAVEL_ASSIGN_OR_RETURN(auto files, rotated_siblings(log.log, live, log.shapes));
  if (live && live->regular) files.push_back(Sibling{log.log, {}, *live});
  for (const Sibling& file : files) {
    CARAVEL_ASSIGN_OR_RETURN(auto position, position_behind(file, manifest, cutter));
    if (position) return std::move(*position);
  }
  return position_in_lost_file(manifest);
}

}  // namespace

Result<bool> catch_up_with_outbox(LogState& log, const Outbox& outbox, Cutter& cutter,
                                  Notices& notices) {
  // What is announced counts as known: after a crash it may have its name already, and the
  // publishing will find it.
  const std::uint64_t known =
      log.pending.empty() ? log.sequence : log.pending.back().manifest.sequence;
  CARAVEL_ASSIGN_OR_RETURN(const auto newest, outbox.newest_manifest(log.run, known));
  if (!newest) return false;
  notices.say(printable(log.log) + ": the state is older than extract " +
              std::to_string(newest->sequence) + " in the outbox; going on behind that");
  CARAVEL_ASSIGN_OR_RETURN(auto position, find_position(log, *newest, cutter));
  position.first_line = newest->first_line;
  log.sequence = newest->sequence;
  if (log.aside && same_file(log.aside->id, position.id)) log.aside.reset();
  log.since = position.modified;  // the memory is older, too
  log.file = std::move(position);
  // What this old state announced was published long ago, by an agent whose later state is lost.
  log.pending.clear();
  return true;
}

}  // namespace caravel::tail
