// The system calls at which the injector can stop a program, and where each names its file.
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace caravel::torture {

/// What a call does, as far as the choice of calls to stop at is concerned.
enum class CallKind {
  change,  // changes a file or a directory, or makes such a change durable
  socket,  // talks to another program
  lock,    // takes or gives back a lock or a lease
  read,    // only looks: traced on request, for there are many
};

/// No argument of the call is of this sort.
constexpr int kNone = -1;
/// The call takes no directory: its path is relative to the working directory.
constexpr int kWorkingDirectory = -2;

/// One system call. The places are numbers of arguments, from 0 on.
struct Call {
  long number = 0;
  std::string_view name;
  CallKind kind = CallKind::change;
  int descriptor = kNone;  // a file's, or the directory's that `path` is relative to
  int path = kNone;
  int second_descriptor = kNone;  // of calls with two names
  int second_path = kNone;
  int size = kNone;  // how many bytes, or buffers: what a short call makes smaller
};

/// All of them. `open` and `openat` stand for both kinds: is_traced() looks at their flags.
[[nodiscard]] std::span<const Call> all_calls();

[[nodiscard]] std::optional<Call> call_of(long number);
[[nodiscard]] std::optional<Call> call_named(std::string_view name);

/// Whether a call with these flags of open(2) may make a file or change one.
[[nodiscard]] bool opens_for_change(unsigned long flags);

/// Whether fcntl(2) with this command takes or gives back a lock or a lease.
[[nodiscard]] bool is_lock_command(unsigned long command);

}  // namespace caravel::torture
