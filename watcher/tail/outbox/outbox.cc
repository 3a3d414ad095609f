#include "watcher/tail/outbox/outbox.h"

#include <algorithm>
#include <cerrno>

#include "base/file.h"
#include "watcher/tail/files/cutter.h"
#include "watcher/tail/files/log_file.h"
#include "watcher/tail/files/paths.h"

namespace caravel::tail {
namespace {

using watcher::manifest_name;
using watcher::parse_tail_name;

/// With the dot in front, the name that senders and drop directories pass over.
constexpr std::string_view kTemporary = ".tmp";

/// Whether the file at `path` has exactly the manifest's bytes. An error only if it cannot be
/// opened: one that cannot be read is as good as damaged.
Result<bool> has_content(const std::string& path, const watcher::Manifest& manifest, Disk& disk) {
  CARAVEL_ASSIGN_OR_RETURN(auto fd, open_log(path));
  CARAVEL_ASSIGN_OR_RETURN(auto stamp, stamp_of(fd.get()));
  if (stamp.size != manifest.bytes) return false;
  Cutter cutter(disk);
  auto read = cutter.read(fd.get(), {0, manifest.bytes});
  return read && read->sha256 == manifest.sha256;
}

}  // namespace

Result<FileId> Outbox::open() {
  // The identity is asked each time, because a file system may be mounted over the directory while
  // the agent runs.
  auto stamp = stamp_of(directory_);
  if (stamp && !*stamp) {
    CARAVEL_TRY(make_directory(directory_));
    stamp = stamp_of(directory_);
  }
  if (!stamp) return tl::unexpected(stamp.error());
  if (!*stamp) return fail(ErrorKind::retry, directory_ + ": is gone again");
  return (*stamp)->id;
}

std::string Outbox::path(std::string_view name) const {
  return directory_ + "/" + std::string(name);
}
std::string Outbox::sent_path(std::string_view name) const {
  return directory_ + "/sent/" + std::string(name);
}
std::string Outbox::temporary_path(std::string_view name) const {
  return directory_ + "/." + std::string(name) + std::string(kTemporary);
}

std::string Outbox::name_of(const watcher::Manifest& manifest) {
  return watcher::extract_name(manifest.log, manifest.host, manifest.run, manifest.sequence);
}

Result<std::vector<OutboxFile>> Outbox::list(const std::string& directory) {
  CARAVEL_ASSIGN_OR_RETURN(auto names, names_in(directory));
  std::vector<OutboxFile> files;
  for (std::string& name : names) {
    const auto parts = name.starts_with('.') ? std::nullopt : parse_tail_name(name);
    // The agent never compresses: such a file is somebody else's.
    if (!parts || name.ends_with(".gz") || name.ends_with(".zst")) continue;
    const auto stamp = stamp_of(directory + "/" + name);
    if (!stamp || !*stamp || !(*stamp)->regular) continue;  // fetched in this moment
    OutboxFile file;
    file.run = parts->run;
    file.sequence = parts->sequence;
    file.bytes = (*stamp)->size;
    // An extract without its manifest counts too: a fetcher that takes manifests first may be at
    // work.
    const auto manifest = stamp_of(directory + "/" + manifest_name(name));
    if (manifest && *manifest) file.bytes += (*manifest)->size;
    file.changed = (*stamp)->changed;
    file.name = std::move(name);
    files.push_back(std::move(file));
  }
  std::sort(files.begin(), files.end(), [](const OutboxFile& a, const OutboxFile& b) {
    return a.run != b.run ? a.run < b.run : a.sequence < b.sequence;
  });
  return files;
}

Result<bool> Outbox::knows(std::string_view name) const {
  // A manifest alone counts too: a fetcher may have taken its extract a moment ago.
  const std::string manifest = manifest_name(name);
  for (const std::string& one :
       {path(name), path(manifest), sent_path(name), sent_path(manifest)}) {
    const auto there = is_there(one);
    if (!there || *there) return there;
  }
  return false;
}

Result<UniqueFd> Outbox::prepare_manifest(const watcher::Manifest& manifest) {
  CARAVEL_ASSIGN_OR_RETURN(auto fd, disk_.create(temporary_path(manifest_name(name_of(manifest)))));
  CARAVEL_TRY(disk_.write(fd.get(), watcher::format_manifest(manifest)));
  return fd;
}

/// Gives the manifest its name. The text of one manifest is the same each time, so whoever took the
/// first one has the right one. False: another text has the name.
Result<bool> Outbox::publish_manifest(const watcher::Manifest& manifest, bool recover) {
  const std::string name = manifest_name(name_of(manifest));
  CARAVEL_ASSIGN_OR_RETURN(const auto there, is_there(path(name)));
  if (there) {
    const auto content = read_file(path(name), watcher::kMaxManifestBytes);
    if (content) return *content == watcher::format_manifest(manifest);
    // Taken in this moment: whoever did that has it. A manifest that cannot be read may be ours:
    // the next step looks again.
    if (content.error().system == ENOENT) return true;
    if (content.error().system != 0) return tl::unexpected(content.error());
    return false;  // larger than any of ours
  }
  CARAVEL_ASSIGN_OR_RETURN(const auto prepared, is_there(temporary_path(name)));
  // After a crash the temporary file is written anew, because only the extract's was checked. It is
  // missing if the start swept it.
  if (recover || !prepared) {
    CARAVEL_ASSIGN_OR_RETURN(auto fd, prepare_manifest(manifest));
    CARAVEL_TRY(disk_.sync(fd.get()));
  }
  return disk_.publish(temporary_path(name), path(name));
}

Result<bool> Outbox::publish(const watcher::Manifest& manifest, bool recover) {
  const std::string name = name_of(manifest);
  const std::string temporary = temporary_path(name);
  // Set before anything is renamed: a failure half way may leave a new name that is not synced.
  unsynced_ = true;
  // The temporary file was on the disk before the state spoke of it. If it is not there now, it has
  // got its name already, and perhaps somebody took it away since.
  CARAVEL_ASSIGN_OR_RETURN(const auto built, is_there(temporary));
  CARAVEL_ASSIGN_OR_RETURN(const auto named, is_there(path(name)));
  if (!built) {
    // A power loss may have kept the extract's name and lost its manifest's.
    return recover && named ? publish_manifest(manifest, true) : true;
  }
  if (recover) {
    // The files were synced before they were announced, so damage comes from the disk, or from
    // somebody else. Damaged bytes must not get a name.
    auto whole = has_content(temporary, manifest, disk_);
    if (!whole || !*whole) return whole;
  }
  // A crash between link(2) and unlink(2) (Disk::publish) leaves two names of one file. Any other
  // content under the name is another file.
  if (named) {
    auto same = has_content(path(name), manifest, disk_);
    if (!same || !*same) return same;
    // A power loss may have kept the extract's name and lost its manifest's, here too.
    auto first = publish_manifest(manifest, recover);
    if (!first || !*first) return first;
    CARAVEL_TRY(disk_.remove(temporary));
    return true;
  }
  // The manifest gets its name first: whoever sees the extract finds what says that it is whole.
  auto first = publish_manifest(manifest, recover);
  if (!first || !*first) return first;
  return disk_.publish(temporary, path(name));
}

Result<> Outbox::discard(const watcher::Manifest& manifest) {
  const std::string name = name_of(manifest);
  // If a crash comes between the two, the next start sweeps the extract's temporary file.
  CARAVEL_TRY(disk_.remove(temporary_path(manifest_name(name))));
  return disk_.remove(temporary_path(name));
}

Result<> Outbox::sync_names(bool if_needed) {
  if (if_needed && !unsynced_) return {};
  CARAVEL_TRY(disk_.sync_directory(directory_));
  unsynced_ = false;
  return {};
}

Result<> Outbox::keep_as_sent(const std::string& name) {
  const std::string manifest = manifest_name(name);
  if (auto made = make_directory(directory_ + "/sent"); !made) {
    if (made.error().system != ENOSPC && made.error().system != EDQUOT) return made;
    // There is no room even for the directory. The extract was delivered: were it left here, it
    // would be sent again and again, and never give its room to others. So it is deleted, and
    // cannot be resent.
    CARAVEL_TRY(disk_.remove(path(name)));
    return disk_.remove(path(manifest));
  }
  // The extract first. After a crash in between, the sweep of the next start moves the manifest
  // that stayed behind. The other way round, the extract would be sent again, and without its
  // manifest. Neither move is synced: after a power loss the file may be sent once more.
  for (const std::string& file : {name, manifest}) {
    CARAVEL_ASSIGN_OR_RETURN(const auto there, is_there(path(file)));
    if (there) CARAVEL_TRY(disk_.replace(path(file), sent_path(file)));
  }
  return {};
}

Result<bool> Outbox::resend(std::string_view run, std::uint64_t sequence) {
  CARAVEL_ASSIGN_OR_RETURN(auto files, sent());
  for (const OutboxFile& file : files) {
    if (file.run != run || file.sequence != sequence) continue;
    const std::string manifest = manifest_name(file.name);
    CARAVEL_ASSIGN_OR_RETURN(const auto there, is_there(sent_path(manifest)));
    // The manifest first, as in publishing: a running agent may look between the two.
    if (there) {
      CARAVEL_TRY(disk_.replace(sent_path(manifest), path(manifest)));
    }
    CARAVEL_TRY(disk_.replace(sent_path(file.name), path(file.name)));
    CARAVEL_TRY(disk_.sync_directory(directory_));
    return true;
  }
  return false;
}

/// The age of a sent file is counted from its ctime: rename(2) sets that on Linux's local file
/// systems when the file moves to sent/, and no program can set it as it can the mtime.
Result<std::uint64_t> Outbox::expire(std::chrono::system_clock::time_point oldest,
                                     std::uint64_t max_bytes) {
  CARAVEL_ASSIGN_OR_RETURN(auto here, waiting());
  CARAVEL_ASSIGN_OR_RETURN(auto kept, sent());
  std::uint64_t total = 0;
  for (const OutboxFile& file : here) total += file.bytes;
  for (const OutboxFile& file : kept) total += file.bytes;
  std::sort(kept.begin(), kept.end(),
            [](const OutboxFile& a, const OutboxFile& b) { return a.changed < b.changed; });
  const std::int64_t limit =
      std::chrono::duration_cast<std::chrono::nanoseconds>(oldest.time_since_epoch()).count();
  for (const OutboxFile& file : kept) {
    if (file.changed >= limit && total <= max_bytes) break;
    // The manifest first. After a crash in between, the extract is found again and deleted; a
    // manifest alone would be found by nobody.
    CARAVEL_TRY(disk_.remove(sent_path(manifest_name(file.name))));
    CARAVEL_TRY(disk_.remove(sent_path(file.name)));
    total -= file.bytes;
  }
  return total;
}

Result<> Outbox::sweep(const std::vector<std::string>& runs, const std::vector<std::string>& keep) {
  CARAVEL_ASSIGN_OR_RETURN(auto names, names_in(directory_));
  // Several agents may share an outbox: the run tells whose file it is.
  const auto ours = [&](std::string_view extract) {
    const auto parts = parse_tail_name(extract);
    return parts && std::find(runs.begin(), runs.end(), parts->run) != runs.end();
  };
  for (const std::string& name : names) {
    std::string_view extract = name;
    const bool is_manifest = extract.ends_with(watcher::kManifestSuffix);
    if (name.starts_with('.') && name.ends_with(kTemporary)) {
      extract = extract.substr(1, extract.size() - 1 - kTemporary.size());
      if (std::find(keep.begin(), keep.end(), extract) != keep.end()) continue;
      // `keep` names extracts only: the temporary manifest of an announced extract goes too, and
      // publish() writes it anew.
      if (extract.ends_with(watcher::kManifestSuffix)) {
        extract.remove_suffix(watcher::kManifestSuffix.size());
      }
      if (ours(extract)) CARAVEL_TRY(disk_.remove(path(name)));
    } else if (is_manifest) {
      extract.remove_suffix(watcher::kManifestSuffix.size());
      // A manifest of ours without its extract: a crash came while both were moved to sent/, if the
      // extract is there. Else a fetcher has taken the extract, and the manifest is the fetcher's
      // matter.
      if (!ours(extract)) continue;
      const auto here = is_there(path(extract));
      const auto sent = is_there(sent_path(extract));
      if (here && sent && !*here && *sent) {
        CARAVEL_TRY(disk_.replace(path(name), sent_path(name)));
      }
    }
  }
  return sweep_sent(runs);
}

/// Deletes manifests in sent/ whose extracts are gone: an older agent that was killed while it
/// deleted an extract left them, and nobody else finds them.
Result<> Outbox::sweep_sent(const std::vector<std::string>& runs) {
  CARAVEL_ASSIGN_OR_RETURN(auto names, names_in(directory_ + "/sent"));
  for (const std::string& name : names) {
    if (!name.ends_with(watcher::kManifestSuffix)) continue;
    const std::string extract = name.substr(0, name.size() - watcher::kManifestSuffix.size());
    const auto parts = parse_tail_name(extract);
    if (!parts || std::find(runs.begin(), runs.end(), parts->run) == runs.end()) continue;
    const auto here = is_there(path(extract));
    const auto sent = is_there(sent_path(extract));
    // With the extract still in the outbox it is a move that was broken off.
    if (here && sent && !*here && !*sent) CARAVEL_TRY(disk_.remove(sent_path(name)));
  }
  return {};
}

Result<std::optional<watcher::Manifest>> Outbox::newest_manifest(std::string_view run,
                                                                 std::uint64_t after) const {
  std::optional<watcher::Manifest> newest;
  for (const std::string& directory : {directory_, directory_ + "/sent"}) {
    CARAVEL_ASSIGN_OR_RETURN(auto names, names_in(directory));
    for (const std::string& name : names) {
      if (name.starts_with('.') || !name.ends_with(watcher::kManifestSuffix)) continue;
      const auto parts = parse_tail_name(
          std::string_view(name).substr(0, name.size() - watcher::kManifestSuffix.size()));
      if (!parts || parts->run != run || parts->sequence <= after) continue;
      // The names are compared first: in the usual case no manifest is read at all.
      if (newest && parts->sequence <= newest->sequence) continue;
      auto text = read_file(directory + "/" + name, watcher::kMaxManifestBytes);
      if (!text && text.error().system == ENOENT) continue;  // fetched in this moment
      // Larger than a manifest can be: it is none of ours. One that cannot be read may be the
      // newest.
      if (!text && text.error().system == 0) continue;
      if (!text) return tl::unexpected(text.error());
      auto manifest = watcher::parse_manifest(*text);
      // Anybody who may write into the outbox may have put this text here: only what agrees with
      // its own name counts.
      if (!manifest || manifest->run != run || manifest->sequence != parts->sequence) continue;
      newest = std::move(*manifest);
    }
  }
  return newest;
}

}  // namespace caravel::tail
