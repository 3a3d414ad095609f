#include "watcher/tail/packed/unpacker.h"

#include <fcntl.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

#include "base/file.h"
#include "base/text.h"
#include "watcher/tail/files/log_file.h"
#include "watcher/tail/packed/gzip_stream.h"

namespace caravel::tail {
namespace {

constexpr std::size_t kBuffer = std::size_t{64} << 10;
/// So often the free room is looked at.
constexpr std::uint64_t kBytesBetweenLooks = 16 << 20;

/// Bytes that may still be written to the disk of `fd`; nothing if it does not say.
std::uint64_t free_room(int fd) {
  struct statvfs disk {};
  if (::fstatvfs(fd, &disk) != 0) return UINT64_MAX;
  return static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize;
}

}  // namespace

bool can_be_unpacked(const Sibling& file) {
  const auto fd = open_sibling(file);
  return fd && is_gzip(fd->get());
}

Result<std::uint32_t> size_of_text(const Sibling& packed) {
  CARAVEL_ASSIGN_OR_RETURN(const auto fd, open_sibling(packed));
  CARAVEL_ASSIGN_OR_RETURN(const auto stamp, stamp_of(fd.get()));
  unsigned char last[4] = {};
  if (stamp.size < sizeof last) return std::uint32_t{0};
  CARAVEL_TRY(
      read_at(fd.get(), stamp.size - sizeof last, reinterpret_cast<char*>(last), sizeof last));
  std::uint32_t size = 0;
  for (std::size_t i = 0; i < sizeof last; ++i) size |= std::uint32_t{last[i]} << (8 * i);
  return size;
}

Result<std::optional<Position>> place_in_text(const Sibling& packed, std::uint64_t offset) {
  CARAVEL_ASSIGN_OR_RETURN(const auto fd, open_sibling(packed));
  const auto stream = std::make_unique<GzipStream>(fd.get());
  const std::uint64_t digested = std::min(kDigestBytes, offset);
  const auto buffer = std::make_unique<char[]>(kBuffer);
  std::string head;
  std::string tail;
  for (std::uint64_t left = offset; left > 0;) {
    CARAVEL_ASSIGN_OR_RETURN(
        const std::size_t got,
        stream->read(buffer.get(),
                     static_cast<std::size_t>(std::min<std::uint64_t>(kBuffer, left))));
    if (got == 0) return std::nullopt;
    const std::string_view bytes(buffer.get(), got);
    head += bytes.substr(0, digested - head.size());
    tail += bytes;
    if (tail.size() > digested) tail.erase(0, tail.size() - digested);
    left -= bytes.size();
  }
  Position place;
  place.id = packed.stamp.id;
  place.offset = offset;
  place.head = hex_digest(head);
  place.tail = hex_digest(tail);
  return place;
}

void Unpacker::clean_up() { static_cast<void>(disk_.remove(path())); }

Result<UnpackedText> Unpacker::unpack(const Sibling& file, const Moment& now) {
  using std::chrono::milliseconds;
  constexpr milliseconds kFirstWait = std::chrono::seconds(1);
  constexpr milliseconds kLongestWait = std::chrono::minutes(5);
  const bool failed = failure_ && same_file(failure_->id, file.stamp.id);
  if (failed && now.steady < failure_->again) return tl::unexpected(failure_->error);
  auto text = unpack_file(file);
  if (text) {
    failure_.reset();
    return text;
  }
  // Without room, each try would fill the disk anew.
  const milliseconds wait = failed ? std::min(2 * failure_->wait, kLongestWait) : kFirstWait;
  failure_ = Failure{file.stamp.id, with_context(printable(file.path), text.error()), wait,
                     now.steady + wait};
  return tl::unexpected(failure_->error);
}

Result<UnpackedText> Unpacker::unpack_file(const Sibling& file) {
  CARAVEL_ASSIGN_OR_RETURN(const auto packed, open_sibling(file));
  CARAVEL_ASSIGN_OR_RETURN(const auto stamp, stamp_of(packed.get()));
  // Another file may have the name by now; the next look finds both.
  if (!same_file(stamp.id, file.stamp.id)) return fail(ErrorKind::retry, "was renamed just now");
  // A name for a moment only: O_TMPFILE would do without, but not every file system has it.
  CARAVEL_ASSIGN_OR_RETURN(const auto out, disk_.create(path()));
  auto in = open_log(path());
  CARAVEL_TRY(disk_.remove(path()));
  if (!in) return tl::unexpected(in.error());
  CARAVEL_ASSIGN_OR_RETURN(auto text, unpack_into(packed.get(), out.get()));
  text.file = std::move(*in);
  return text;
}

Result<UnpackedText> Unpacker::unpack_into(int packed, int text) {
  const auto stream = std::make_unique<GzipStream>(packed);
  const std::uint64_t left_to_others = free_room(text) / 10;
  std::uint64_t looked_at = 0;
  const auto buffer = std::make_unique<char[]>(kBuffer);
  UnpackedText out;
  for (;;) {
    CARAVEL_ASSIGN_OR_RETURN(const std::size_t got, stream->read(buffer.get(), kBuffer));
    if (got == 0) break;
    if (out.size - looked_at >= kBytesBetweenLooks) {
      looked_at = out.size;
      if (free_room(text) <= left_to_others) {
        return fail(ErrorKind::retry, "no room in the outbox to unpack it (" +
                                          std::to_string(out.size) + " bytes so far)");
      }
    }
    CARAVEL_TRY(disk_.write(text, {buffer.get(), got}));
    out.size += got;
  }
  out.damage = stream->damage();
  return out;
}

}  // namespace caravel::tail
