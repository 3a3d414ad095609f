// A test runs as root, whom no mode of a file keeps out: without one of root's rights it does.
#pragma once

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace caravel::test {

/// Without one right of root, as long as it lives (capabilities(7)).
template <int capability>
class WithoutRight {
 public:
  WithoutRight() {
    taken_ = set_effective([](auto mask) { return mask & ~kBit; });
  }
  ~WithoutRight() {
    if (taken_) set_effective([](auto mask) { return mask | kBit; });
  }
  WithoutRight(const WithoutRight&) = delete;
  WithoutRight& operator=(const WithoutRight&) = delete;
  [[nodiscard]] bool taken() const { return taken_; }

 private:
  static constexpr std::uint32_t kBit = 1U << capability;
  template <class Change>
  static bool set_effective(Change change) {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
    if (::syscall(SYS_capget, &header, data) != 0) return false;
    data[0].effective = change(data[0].effective);
    return ::syscall(SYS_capset, &header, data) == 0;
  }
  bool taken_ = false;
};

}  // namespace caravel::test
