#include "watcher/tail/held/held_files.h"

#include <algorithm>
#include <utility>

namespace caravel::tail {
namespace {

bool by_inode(const HeldFile& file, std::uint64_t inode) { return file.id.inode < inode; }

}  // namespace

std::vector<HeldFile>::const_iterator HeldFiles::place_of(const FileId& id) const {
  auto at = std::lower_bound(files_.begin(), files_.end(), id.inode, by_inode);
  while (at != files_.end() && at->id.inode == id.inode && !same_file(at->id, id)) ++at;
  return at != files_.end() && same_file(at->id, id) ? at : files_.end();
}

const HeldFile* HeldFiles::find(const FileId& id) const {
  const auto at = place_of(id);
  return at != files_.end() ? &*at : nullptr;
}

void HeldFiles::complete(Sibling& file) const {
  const HeldFile* const held = find(file.stamp.id);
  if (held == nullptr) return;
  file.held = held->fd.get();
  file.appeared = held->appeared;
}

void HeldFiles::take_over(std::vector<Arrival> arrivals, const Moment& now) {
  for (Arrival& arrival : arrivals) {
    const auto found = place_of(arrival.stamp.id);
    if (found != files_.end()) {
      HeldFile& file = files_[static_cast<std::size_t>(found - files_.begin())];
      for (std::string& path : arrival.paths) {
        if (file.paths.back() != path) file.paths.push_back(std::move(path));
      }
      file.needed = now.steady;
      // The first name tells whose it was, the last where it is.
      constexpr std::size_t kMostNames = 8;
      if (file.paths.size() > kMostNames) {
        file.paths.erase(file.paths.begin() + 1, file.paths.end() - (kMostNames - 1));
      }
      continue;
    }
    full_ = full_ || files_.size() >= most_;
    if (files_.size() >= most_) arrival.fd.reset();
    const auto at =
        std::lower_bound(files_.begin(), files_.end(), arrival.stamp.id.inode, by_inode);
    files_.insert(at, HeldFile{arrival.stamp.id, std::move(arrival.fd), std::move(arrival.paths),
                               ++appeared_, now.steady});
  }
}

bool HeldFiles::hold(const Sibling& file, const Moment& now) {
  if (find(file.stamp.id) != nullptr) return true;
  if (files_.size() >= most_) full_ = true;
  if (files_.size() >= most_) return false;
  auto fd = open_sibling(file);
  const auto stamp = fd ? stamp_of(fd->get()) : Result<Stamp>(tl::unexpected(fd.error()));
  // Another file may have the name by now, which the next look finds.
  if (!stamp || !same_file(stamp->id, file.stamp.id)) return false;
  const auto at = std::lower_bound(files_.begin(), files_.end(), stamp->id.inode, by_inode);
  files_.insert(at, HeldFile{stamp->id, std::move(*fd), {file.path}, 0, now.steady});
  return true;
}

void HeldFiles::release(const FileId& id) {
  const auto at = place_of(id);
  if (at != files_.end()) files_.erase(at);
}

}  // namespace caravel::tail
