// One stopped thread of the traced program: its registers, its memory, its files.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include <sys/types.h>
#include <sys/user.h>

#include "tests/torture/injector/calls.h"

namespace caravel::torture {

/// A system call at which a thread stopped. Valid while it is stopped.
class StoppedCall {
 public:
  /// Reads the registers of `thread`, which must be stopped. ok() tells whether that worked: a
  /// thread may be killed at any moment.
  explicit StoppedCall(pid_t thread);

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] pid_t thread() const { return thread_; }
  [[nodiscard]] long number() const { return static_cast<long>(registers_.orig_rax); }
  [[nodiscard]] std::uint64_t argument(int place) const;
  /// Once the call was made: what it returned, -errno for an error.
  [[nodiscard]] std::int64_t result() const { return static_cast<std::int64_t>(registers_.rax); }

  /// The call is not made and returns -error.
  void fail_with(int error) { answer_with(-error); }
  /// The call is not made and returns `result`.
  void answer_with(std::int64_t result);
  void set_argument(int place, std::uint64_t value);

  /// A zero-terminated string of the thread's memory; cut at 4096 bytes.
  [[nodiscard]] std::string text_at(std::uint64_t address) const;
  /// Fewer bytes than asked for if the memory ends before.
  [[nodiscard]] std::string bytes_at(std::uint64_t address, std::size_t size) const;

  /// "/proc/PID/fd/N": leads to the open file itself, whatever its name is by now.
  [[nodiscard]] std::string link_of(int descriptor) const;
  /// Where a descriptor leads: a path, "socket:[1]", "pipe:[1]"; empty if it is not open.
  [[nodiscard]] std::string file_of(int descriptor) const;
  /// The absolute path that a call means by a directory's descriptor and a path. Lexical: symlinks
  /// and ".." stay.
  [[nodiscard]] std::string path_of(int descriptor_place, int path_place) const;
  /// What `call` is about, for the log and for the choice by prefix: a path, a descriptor's file.
  [[nodiscard]] std::string subject_of(const Call& call) const;
  [[nodiscard]] std::string second_subject_of(const Call& call) const;

 private:
  void write_registers();

  pid_t thread_;
  user_regs_struct registers_{};
  bool ok_ = false;
};

}  // namespace caravel::torture
