#include "tests/torture/injector/calls.h"

#include <algorithm>
#include <array>

#include <fcntl.h>
#include <sys/syscall.h>

namespace caravel::torture {
namespace {

using enum CallKind;

/// A call on a descriptor alone.
constexpr Call on_descriptor(long number, std::string_view name, CallKind kind, int size = kNone) {
  return {number, name, kind, 0, kNone, kNone, kNone, size};
}

/// A call on a path that the working directory is the start of.
constexpr Call on_path(long number, std::string_view name, CallKind kind = change) {
  return {number, name, kind, kWorkingDirectory, 0};
}

/// A call on a path that the directory in argument 0 is the start of.
constexpr Call at(long number, std::string_view name, CallKind kind = change) {
  return {number, name, kind, 0, 1};
}

constexpr std::array kCalls{
    at(SYS_openat, "openat"),
    on_path(SYS_open, "open"),
    on_path(SYS_creat, "creat"),
    on_descriptor(SYS_write, "write", change, 2),
    on_descriptor(SYS_pwrite64, "pwrite64", change, 2),
    on_descriptor(SYS_writev, "writev", change, 2),
    on_descriptor(SYS_pwritev, "pwritev", change, 2),
    on_descriptor(SYS_ftruncate, "ftruncate", change),
    on_path(SYS_truncate, "truncate"),
    on_descriptor(SYS_fallocate, "fallocate", change),
    Call{SYS_copy_file_range, "copy_file_range", change, 2, kNone, 0, kNone, 4},
    Call{SYS_sendfile, "sendfile", change, 0, kNone, 1, kNone, 3},
    Call{SYS_rename, "rename", change, kWorkingDirectory, 0, kWorkingDirectory, 1},
    Call{SYS_renameat, "renameat", change, 0, 1, 2, 3},
    Call{SYS_renameat2, "renameat2", change, 0, 1, 2, 3},
    Call{SYS_link, "link", change, kWorkingDirectory, 0, kWorkingDirectory, 1},
    Call{SYS_linkat, "linkat", change, 0, 1, 2, 3},
    Call{SYS_symlink, "symlink", change, kWorkingDirectory, 1},
    Call{SYS_symlinkat, "symlinkat", change, 1, 2},
    on_path(SYS_unlink, "unlink"),
    at(SYS_unlinkat, "unlinkat"),
    on_path(SYS_rmdir, "rmdir"),
    on_path(SYS_mknod, "mknod"),
    at(SYS_mknodat, "mknodat"),
    on_path(SYS_mkdir, "mkdir"),
    at(SYS_mkdirat, "mkdirat"),
    on_descriptor(SYS_fsync, "fsync", change),
    on_descriptor(SYS_fdatasync, "fdatasync", change),
    on_descriptor(SYS_sync_file_range, "sync_file_range", change),
    on_descriptor(SYS_syncfs, "syncfs", change),
    on_path(SYS_chmod, "chmod"),
    on_descriptor(SYS_fchmod, "fchmod", change),
    at(SYS_fchmodat, "fchmodat"),
    on_descriptor(SYS_fchown, "fchown", change),
    at(SYS_utimensat, "utimensat"),
    on_descriptor(SYS_connect, "connect", socket),
    on_descriptor(SYS_accept, "accept", socket),
    on_descriptor(SYS_accept4, "accept4", socket),
    on_descriptor(SYS_sendto, "sendto", socket, 2),
    on_descriptor(SYS_sendmsg, "sendmsg", socket),
    on_descriptor(SYS_recvfrom, "recvfrom", socket, 2),
    on_descriptor(SYS_recvmsg, "recvmsg", socket),
    on_descriptor(SYS_shutdown, "shutdown", socket),
    on_descriptor(SYS_flock, "flock", lock),
    on_descriptor(SYS_fcntl, "fcntl", lock),
    on_descriptor(SYS_read, "read", read, 2),
    on_descriptor(SYS_pread64, "pread64", read, 2),
    on_descriptor(SYS_getdents64, "getdents64", read),
    on_descriptor(SYS_fstat, "fstat", read),
    at(SYS_newfstatat, "newfstatat", read),
    at(SYS_statx, "statx", read),
    Call{SYS_inotify_init1, "inotify_init1", read},
    Call{SYS_inotify_add_watch, "inotify_add_watch", read, kWorkingDirectory, 1},
};

std::optional<Call> first_with(auto condition) {
  const auto* const found = std::find_if(kCalls.begin(), kCalls.end(), condition);
  if (found == kCalls.end()) return {};
  return *found;
}

}  // namespace

std::span<const Call> all_calls() { return kCalls; }

std::optional<Call> call_of(long number) {
  return first_with([number](const Call& call) { return call.number == number; });
}

std::optional<Call> call_named(std::string_view name) {
  return first_with([name](const Call& call) { return call.name == name; });
}

bool opens_for_change(unsigned long flags) {
  return (flags & (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC)) != 0;
}

bool is_lock_command(unsigned long command) {
  switch (command) {
    case F_SETLK:
    case F_SETLKW:
    case F_OFD_SETLK:
    case F_OFD_SETLKW:
    case F_SETLEASE:
      return true;
    default:
      return false;
  }
}

}  // namespace caravel::torture
