#include "watcher/checks/disks.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <set>

#include <fmt/format.h>

#include "base/units.h"

namespace caravel::watcher {
namespace {

/// The ledger writes some pages for each extract, and its write-ahead log is cut back to 16 MiB.
constexpr std::uint64_t kLedgerRoom = std::uint64_t{16} << 20;

/// Adds the disk under `path`, if that is there; `consequence` of less than `least` being free.
void add_disk(const std::string& what, const std::string& path, std::uint64_t least,
              const std::string& consequence, std::vector<DiskRoom>& disks) {
  struct statvfs status {};
  if (::statvfs(path.c_str(), &status) != 0) return;
  DiskRoom disk{what, path, 0, 0, least};
  // f_bavail, f_favail: what is reserved for root is of no use to the service.
  disk.free = static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize;
  disk.size = static_cast<std::uint64_t>(status.f_blocks) * status.f_frsize;
  // Some file systems have no table of inodes and say 0 of all (btrfs).
  if (status.f_files != 0 && status.f_favail == 0) {
    disk.full = fmt::format(
        "{} {}: no inode is free: no file can be made; delete files on that disk", what, path);
  } else if (disk.free < least || disk.free == 0) {
    disk.full =
        fmt::format("{} {}: {} free, {}", what, path, size_for_people(disk.free), consequence);
  }
  disks.push_back(std::move(disk));
}

}  // namespace

std::vector<DiskRoom> disk_rooms(const Config& config) {
  std::vector<DiskRoom> disks;
  add_disk("spool", config.spool, config.min_free,
           fmt::format("less than min_free ({}): no extract is loaded until there is more; make "
                       "room on that disk, or lower min_free",
                       size_for_people(config.min_free)),
           disks);
  add_disk("state", config.state, std::min(config.min_free, kLedgerRoom),
           fmt::format("less than the ledger needs ({}): make room on that disk",
                       size_for_people(std::min(config.min_free, kLedgerRoom))),
           disks);
  for (const uploader::StoreConfig& store : config.stores) {
    const std::string place = store_place(store);
    if (!place.starts_with('/')) continue;  // a server sees to its own disk
    add_disk("store " + store.name, std::filesystem::path(place).parent_path().string(),
             std::min(config.min_free, kLedgerRoom),
             "so that rows can hardly be stored: make room on that disk", disks);
  }
  std::set<std::string> seen;
  for (const FeedConfig& feed : config.feeds) {
    // A drop directory in the spool is on its disk.
    if (feed.drop.starts_with(config.spool + "/") || !seen.insert(feed.drop).second) continue;
    add_disk("drop directory", feed.drop, 0,
             "so its senders can write nothing: make room on that disk", disks);
  }
  return disks;
}

std::vector<std::string> full_disks(const Config& config) {
  std::vector<std::string> out;
  for (DiskRoom& disk : disk_rooms(config)) {
    if (!disk.full.empty()) out.push_back(std::move(disk.full));
  }
  return out;
}

}  // namespace caravel::watcher
