#include "tests/torture/injector/filter.h"

#include <cstddef>
#include <cstdint>
#include <vector>

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

namespace caravel::torture {
namespace {

constexpr std::uint32_t kChanging = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC;

/// The low half of an argument: flags and commands are no wider (little endian).
constexpr std::uint32_t low_half_of(int argument) {
  return static_cast<std::uint32_t>(offsetof(seccomp_data, args) +
                                    static_cast<unsigned>(argument) * sizeof(std::uint64_t));
}

class Program {
 public:
  void load(std::uint32_t offset) { add(BPF_LD | BPF_W | BPF_ABS, offset); }
  void give_back(std::uint32_t verdict) { add(BPF_RET | BPF_K, verdict); }
  /// The next `count` instructions are skipped unless the loaded word is `value`.
  void unless_equal_skip(std::uint32_t value, std::uint8_t count) {
    code_.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, count));
  }
  void unless_any_bit_skip(std::uint32_t bits, std::uint8_t count) {
    code_.push_back(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, 0, count));
  }
  std::vector<sock_filter>& code() { return code_; }

 private:
  void add(int operation, std::uint32_t operand) {
    code_.push_back(BPF_STMT(static_cast<std::uint16_t>(operation), operand));
  }
  std::vector<sock_filter> code_;
};

void stop_if_opened_for_change(Program& program, std::uint32_t number, int flags) {
  program.unless_equal_skip(number, 4);
  program.load(low_half_of(flags));
  program.unless_any_bit_skip(kChanging, 1);
  program.give_back(SECCOMP_RET_TRACE);
  program.give_back(SECCOMP_RET_ALLOW);
}

void stop_if_it_locks(Program& program) {
  constexpr std::uint32_t kCommands[] = {F_SETLK, F_SETLKW, F_OFD_SETLK, F_OFD_SETLKW, F_SETLEASE};
  program.unless_equal_skip(SYS_fcntl, 2 + 2 * std::size(kCommands));
  program.load(low_half_of(1));
  for (const std::uint32_t command : kCommands) {
    program.unless_equal_skip(command, 1);
    program.give_back(SECCOMP_RET_TRACE);
  }
  program.give_back(SECCOMP_RET_ALLOW);
}

}  // namespace

bool install_filter(std::span<const Call> calls, bool reads, std::span<const long> others) {
  Program program;
  program.load(offsetof(seccomp_data, arch));
  program.unless_equal_skip(AUDIT_ARCH_X86_64, 1);
  program.unless_equal_skip(AUDIT_ARCH_X86_64 + 1, 1);  // ours: go on behind the next instruction
  program.give_back(SECCOMP_RET_ALLOW);
  program.load(offsetof(seccomp_data, nr));
  for (const Call& call : calls) {
    const auto number = static_cast<std::uint32_t>(call.number);
    if (call.number == SYS_fcntl) {
      stop_if_it_locks(program);
    } else if (!reads && call.number == SYS_openat) {
      stop_if_opened_for_change(program, number, 2);
    } else if (!reads && call.number == SYS_open) {
      stop_if_opened_for_change(program, number, 1);
    } else {
      program.unless_equal_skip(number, 1);
      program.give_back(SECCOMP_RET_TRACE);
    }
  }
  for (const long number : others) {
    program.unless_equal_skip(static_cast<std::uint32_t>(number), 1);
    program.give_back(SECCOMP_RET_TRACE);
  }
  program.give_back(SECCOMP_RET_ALLOW);
  const sock_fprog filter{static_cast<unsigned short>(program.code().size()),
                          program.code().data()};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

}  // namespace caravel::torture
