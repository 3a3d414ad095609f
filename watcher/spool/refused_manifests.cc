#include "watcher/spool/refused_manifests.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/file.h"
#include "base/text.h"
#include "watcher/exchange/manifest.h"
#include "watcher/files/directory.h"

namespace caravel::watcher {
namespace {

/// So many bytes of a .why are read; only its first line is shown.
constexpr std::size_t kLongestWhy = 1000;

/// What is known of FILE in the directory failed/; nothing if the file is gone.
std::optional<RefusedManifest> look_at_refused(int failed_fd, const std::string& file) {
  struct stat status;
  if (::fstatat(failed_fd, file.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return std::nullopt;
  // The rename into failed/ was the last change of the inode, so its ctime is when it came there.
  const auto since = std::chrono::seconds(status.st_ctim.tv_sec) +
                     std::chrono::nanoseconds(status.st_ctim.tv_nsec);
  RefusedManifest out{file, "was refused; its .why is gone",
                      Time(std::chrono::duration_cast<Time::duration>(since))};
  // The .why was published before the manifest was moved (move_to_failed()): where there is none, a
  // person has deleted it.
  const UniqueFd fd(
      ::openat(failed_fd, (file + ".why").c_str(), O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) return out;
  std::string text(kLongestWhy, '\0');
  const auto size = read_at(fd.get(), 0, text.data(), text.size());
  if (!size) return out;
  text.resize(*size);
  out.why = text.substr(0, text.find('\n'));
  return out;
}

}  // namespace

std::optional<std::string> manifest_in_archive(std::string_view file) {
  const std::size_t suffix = file.rfind(kManifestSuffix);
  if (suffix == std::string_view::npos) return std::nullopt;
  const std::size_t end = suffix + kManifestSuffix.size();
  // "NAME.manifest~<hex>.why" is no manifest either.
  if (end < file.size() && (file[end] != '~' || file.ends_with(".why"))) return std::nullopt;
  return std::string(file.substr(0, end));
}

RefusedManifests refused_manifests(const std::string& spool, std::size_t most,
                                   std::string_view name) {
  RefusedManifests out;
  const auto folder = open_directory(spool + "/failed");
  if (!folder) return out;
  // What was found before an error in between is still true.
  (void)for_each_name(folder->get(), [&](const std::string& file) {
    const auto manifest = manifest_in_archive(file);
    if (!manifest || (!name.empty() && *manifest != name)) return true;
    auto refused = look_at_refused(folder->get(), file);
    if (!refused) return true;
    ++out.total;
    // At most one more than are wanted: failed/ may hold any number.
    const auto later = [](const RefusedManifest& a, const RefusedManifest& b) {
      return std::pair(b.since, a.file) < std::pair(a.since, b.file);
    };
    out.newest.insert(std::upper_bound(out.newest.begin(), out.newest.end(), *refused, later),
                      std::move(*refused));
    if (out.newest.size() > most) out.newest.pop_back();
    return true;
  });
  return out;
}

std::optional<std::string> refusal_of_manifest(const std::string& spool, const std::string& name) {
  // The first of a name has no "~<hex>" behind it.
  const auto folder = open_directory(spool + "/failed");
  if (!folder) return std::nullopt;
  const auto refused = look_at_refused(folder->get(), name);
  return refused ? std::optional(refused->why) : std::nullopt;
}

std::string why_without_manifest(const std::string& spool, const std::string& name) {
  const std::string manifest = manifest_name(name);
  const auto refusal = refusal_of_manifest(spool, manifest);
  return fmt::format("its manifest {} {}", printable(manifest),
                     refusal ? "came and was refused: it " + *refusal : "has not come");
}

}  // namespace caravel::watcher
