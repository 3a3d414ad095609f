// SHA-256 (FIPS 180-4), on the processor's own instructions where it has them. Own code, because
// libmd's is portable C (a sixth of the speed) and a static libcrypto is four times the agent's
// whole size.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace caravel::tail {

class Sha256 {
 public:
  /// Whether the processor's SHA instructions may be used; tests try both ways.
  enum class Use { best, portable };

  explicit Sha256(Use use = Use::best);

  void update(std::string_view bytes);
  /// The same as updating each. Where the processor has SHA instructions, two messages together
  /// take little longer than one; best in multiples of 64 bytes.
  static void update_both(Sha256& a, std::string_view a_bytes, Sha256& b, std::string_view b_bytes);
  /// 64 lower-case hex digits over everything so far. Ends the computation.
  [[nodiscard]] std::string finish();

 private:
  void blocks(const unsigned char* data, std::size_t count);

  bool instructions_ = false;
  std::array<std::uint32_t, 8> state_;
  std::array<unsigned char, 64> rest_{};  // what does not fill a block yet
  std::size_t rest_size_ = 0;
  std::uint64_t size_ = 0;
};

}  // namespace caravel::tail
