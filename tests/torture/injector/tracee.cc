#include "tests/torture/injector/tracee.h"

#include <algorithm>

#include <fcntl.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <unistd.h>
#include <climits>

namespace caravel::torture {
namespace {

std::string link_target(const std::string& path) {
  char buffer[PATH_MAX];
  const ssize_t size = readlink(path.c_str(), buffer, sizeof buffer);
  return size < 0 ? std::string() : std::string(buffer, static_cast<std::size_t>(size));
}

/// Which member of the registers holds an argument (syscall(2), "Architecture calling
/// conventions").
unsigned long long user_regs_struct::*const kArguments[] = {
    &user_regs_struct::rdi, &user_regs_struct::rsi, &user_regs_struct::rdx,
    &user_regs_struct::r10, &user_regs_struct::r8,  &user_regs_struct::r9};

}  // namespace

StoppedCall::StoppedCall(pid_t thread) : thread_(thread) {
  ok_ = ptrace(PTRACE_GETREGS, thread_, nullptr, &registers_) == 0;
}

std::uint64_t StoppedCall::argument(int place) const { return registers_.*kArguments[place]; }

void StoppedCall::write_registers() { ptrace(PTRACE_SETREGS, thread_, nullptr, &registers_); }

void StoppedCall::answer_with(std::int64_t result) {
  registers_.orig_rax = static_cast<unsigned long long>(-1);  // no call has this number
  registers_.rax = static_cast<unsigned long long>(result);
  write_registers();
}

void StoppedCall::set_argument(int place, std::uint64_t value) {
  registers_.*kArguments[place] = value;
  write_registers();
}

std::string StoppedCall::bytes_at(std::uint64_t address, std::size_t size) const {
  std::string bytes(size, '\0');
  const iovec here{bytes.data(), size};
  const iovec there{reinterpret_cast<void*>(address), size};
  const ssize_t got = process_vm_readv(thread_, &here, 1, &there, 1, 0);
  bytes.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  return bytes;
}

std::string StoppedCall::text_at(std::uint64_t address) const {
  constexpr std::size_t kPage = 4096;
  std::string text;
  while (text.size() < PATH_MAX) {
    // Never across a page: the next one may not be there.
    const std::size_t left = kPage - (address + text.size()) % kPage;
    const std::string more = bytes_at(address + text.size(), left);
    if (more.empty()) break;
    const std::size_t end = more.find('\0');
    if (end != std::string::npos) return text + more.substr(0, end);
    text += more;
  }
  return text;
}

std::string StoppedCall::link_of(int descriptor) const {
  return "/proc/" + std::to_string(thread_) + "/fd/" + std::to_string(descriptor);
}

std::string StoppedCall::file_of(int descriptor) const { return link_target(link_of(descriptor)); }

std::string StoppedCall::path_of(int descriptor_place, int path_place) const {
  const std::string path = text_at(argument(path_place));
  if (path.starts_with('/')) return path;
  const int directory = descriptor_place == kWorkingDirectory
                            ? AT_FDCWD
                            : static_cast<int>(argument(descriptor_place));
  const std::string start = directory == AT_FDCWD
                                ? link_target("/proc/" + std::to_string(thread_) + "/cwd")
                                : file_of(directory);
  return path.empty() ? start : start + "/" + path;
}

std::string StoppedCall::subject_of(const Call& call) const {
  if (call.path != kNone) return path_of(call.descriptor, call.path);
  return call.descriptor == kNone ? "" : file_of(static_cast<int>(argument(call.descriptor)));
}

std::string StoppedCall::second_subject_of(const Call& call) const {
  if (call.second_path != kNone) return path_of(call.second_descriptor, call.second_path);
  return {};
}

}  // namespace caravel::torture
