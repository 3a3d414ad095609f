// Which of sixteen bytes are a certain one, as the bits of a number: bit i speaks of byte i. With
// the instructions of the processor where the compiler may take them for granted (SSE2 on x86-64),
// else in two registers of eight bytes. Whoever calls must be allowed to read sixteen bytes.
#pragma once

#include <cstdint>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "base/eight_bytes.h"

namespace caravel::formatter {

/// For any processor.
class PortableSixteenBytes {
 public:
  explicit PortableSixteenBytes(const char* p) : low_(load8(p)), high_(load8(p + 8)) {}

  [[nodiscard]] std::uint32_t equal(char wanted) const {
    const std::uint64_t all = in_every_byte(static_cast<unsigned char>(wanted));
    return zeros(low_ ^ all) | zeros(high_ ^ all) << 8;
  }
  /// The control characters under the blank.
  [[nodiscard]] std::uint32_t control() const {
    const std::uint64_t above = in_every_byte(0xe0);
    return zeros(low_ & above) | zeros(high_ & above) << 8;
  }

 private:
  /// The bytes that are zero, exactly: no carry leaves its byte. The product moves the highest bit
  /// of each byte into one byte.
  static std::uint32_t zeros(std::uint64_t bytes) {
    const std::uint64_t low_bits = in_every_byte(0x7f);
    const std::uint64_t marks = ~(((bytes & low_bits) + low_bits) | bytes | low_bits);
    return static_cast<std::uint32_t>(((marks >> 7) * 0x0102040810204080U) >> 56);
  }

  std::uint64_t low_;
  std::uint64_t high_;
};

#if defined(__SSE2__)

class SixteenBytes {
 public:
  explicit SixteenBytes(const char* p)
      : bytes_(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))) {}

  [[nodiscard]] std::uint32_t equal(char wanted) const {
    return bits(_mm_cmpeq_epi8(bytes_, _mm_set1_epi8(wanted)));
  }
  [[nodiscard]] std::uint32_t control() const {
    return bits(_mm_cmpeq_epi8(_mm_min_epu8(bytes_, _mm_set1_epi8(0x1f)), bytes_));
  }

 private:
  static std::uint32_t bits(__m128i marks) {
    return static_cast<std::uint32_t>(_mm_movemask_epi8(marks));
  }

  __m128i bytes_;
};

#else

using SixteenBytes = PortableSixteenBytes;

#endif

}  // namespace caravel::formatter
