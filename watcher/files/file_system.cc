#include "watcher/files/file_system.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>

#include <fmt/format.h>

#include "base/file.h"
#include "watcher/files/completeness.h"

namespace caravel::watcher {
namespace {

struct KnownType {
  std::uint64_t f_type;
  FileSystemTraits traits;
};

/// Every writer is on this host, and the times are of its clock.
constexpr FileSystemTraits local(std::string_view name) { return {name, true, false, true, true}; }
/// Changes and writers can be on another host, and so can the clock.
constexpr FileSystemTraits shared(std::string_view name) {
  return {name, true, true, false, false};
}

// statfs(2), and linux/magic.h for those that it does not list.
constexpr std::array kKnownTypes{
    KnownType{0xEF53, local("ext4")},
    KnownType{0x58465342, local("XFS")},
    KnownType{0x9123683E, local("btrfs")},
    KnownType{0x01021994, local("tmpfs")},
    KnownType{0x858458F6, local("ramfs")},
    KnownType{0xF2F52010, local("F2FS")},
    KnownType{0x2FC12FC1, local("ZFS")},
    KnownType{0xCA451A4E, local("bcachefs")},
    KnownType{0x3153464A, local("JFS")},
    KnownType{0x3434, local("NILFS2")},
    KnownType{0x4D44, local("FAT")},
    KnownType{0x2011BAB0, local("exFAT")},
    KnownType{0x7366746E, local("NTFS")},
    // What is done to the layers below goes unreported, and a writable mapping belongs to the file
    // of the upper layer: a lease on ours does not see it.
    KnownType{0x794C7630, {"overlayfs", true, true, false, true}},
    KnownType{0xF15F, {"eCryptfs", true, true, false, true}},
    KnownType{0x6969, shared("NFS")},
    KnownType{0x517B, shared("SMB")},
    KnownType{0xFE534D42, shared("SMB")},
    KnownType{0xFF534D42, shared("CIFS")},
    KnownType{0x65735546, shared("FUSE")},
    KnownType{0x01021997, shared("9p")},
    KnownType{0x00C36400, shared("Ceph")},
    KnownType{0x0BD00BD0, shared("Lustre")},
    KnownType{0x5346414F, shared("AFS")},
    KnownType{0x6B414653, shared("AFS")},
    KnownType{0x73757245, shared("Coda")},
    KnownType{0x7461636F, shared("OCFS2")},
    KnownType{0x01161970, shared("GFS2")},
    KnownType{0x47504653, shared("GPFS")},
    KnownType{0x19830326, shared("BeeGFS")},
    KnownType{0x786F4256, shared("vboxsf")},
};

/// CAP_LEASE in the effective set, as /proc/self/status gives it (proc(5) CapEff).
bool has_cap_lease() {
  // Read anew each time: a service may give capabilities up after its start.
  const auto status = read_file("/proc/self/status", 64 * 1024);
  // Without /proc nobody can tell: "no" is the careful answer.
  if (!status) return false;
  constexpr std::string_view kKey = "CapEff:\t";
  const std::size_t at = status->find(kKey);
  if (at == std::string::npos) return false;
  std::uint64_t capabilities = 0;
  const char* const from = status->data() + at + kKey.size();
  std::from_chars(from, status->data() + status->size(), capabilities, 16);
  return ((capabilities >> CAP_LEASE) & 1U) != 0;
}

/// A file of ours without a name, open read-only: a lease needs that no one has it open for
/// writing, and a file can only be made by opening it so.
Result<UniqueFd> nameless_file(int directory_fd) {
  UniqueFd made(::openat(directory_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (made) {
    return open_file(fmt::format("/proc/self/fd/{}", made.get()), O_RDONLY);
  }
  // open(2): EOPNOTSUPP, on NFS for one; EISDIR or EINVAL where the flag is not known at all.
  if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL) {
    return fail_with_errno("make a probe file", errno);
  }
  const std::string name = fmt::format(".tmp-probe-{}", ::getpid());
  UniqueFd fd(::openat(directory_fd, name.c_str(),
                       O_CREAT | O_EXCL | O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd) return fail_with_errno("make a probe file", errno);
  // A crash before this leaves an empty file that begins as all temporaries of the spool do.
  ::unlinkat(directory_fd, name.c_str(), 0);
  return fd;
}

}  // namespace

FileSystemTraits traits_of_type(std::uint64_t f_type) {
  // A type that nobody has listed may be one with writers on other hosts: it counts as shared.
  const auto* const known = std::ranges::find(kKnownTypes, f_type, &KnownType::f_type);
  return known != kKnownTypes.end() ? known->traits : shared("unknown");
}

Result<FileSystemTraits> file_system_of(int fd) {
  struct statfs status;
  if (::fstatfs(fd, &status) != 0) return fail_with_errno("fstatfs", errno);
  // f_type is a signed word; on 32 bits the numbers above 2^31 would be extended by their sign.
  return traits_of_type(static_cast<std::uint32_t>(status.f_type));
}

Result<LeaseProbe> probe_leases(int directory_fd) {
  CARAVEL_ASSIGN_OR_RETURN(const auto file, nameless_file(directory_fd));
  LeaseProbe probe;
  // With our own file first: if that gives no lease, no file here does.
  probe.own_files = writer_state(file.get()) == WriterState::none;
  if (!probe.own_files) {
    probe.reason =
        "no lease can be taken here (the file system, or the sysctl fs.leases-enable is 0)";
    return probe;
  }
  // This is not tried, as there need be no file of another user here; fcntl(2) names the capability
  // that decides.
  probe.others_files = has_cap_lease();
  if (!probe.others_files) {
    probe.reason = "leases on files of other owners need CAP_LEASE";
  }
  return probe;
}

}  // namespace caravel::watcher
