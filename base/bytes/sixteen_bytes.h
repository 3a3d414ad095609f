// Sixteen bytes at a time: what the loops over every byte of every line are built from. Each
// question is answered by the bits of a number: bit i speaks of byte i. With the instructions of
// the processor where the compiler may take them for granted (SSE2 on x86-64), else in two
// registers of eight bytes. Whoever calls must be allowed to read, or write, sixteen bytes.
#pragma once

#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "base/eight_bytes.h"

namespace caravel {

/// What the bits are if the answer is yes for each of the bytes.
inline constexpr std::uint32_t kAllSixteen = 0xffff;

/// For any processor.
class PortableSixteenBytes {
 public:
  explicit PortableSixteenBytes(const char* p) : low_(load8(p)), high_(load8(p + 8)) {}

  void store(char* to) const {
    std::memcpy(to, &low_, sizeof low_);
    std::memcpy(to + sizeof low_, &high_, sizeof high_);
  }
  /// The bits of both.
  PortableSixteenBytes& operator|=(const PortableSixteenBytes& other) {
    low_ |= other.low_;
    high_ |= other.high_;
    return *this;
  }
  [[nodiscard]] std::uint32_t equal(char wanted) const {
    const std::uint64_t all = in_every_byte(static_cast<unsigned char>(wanted));
    return both(zeros(low_ ^ all), zeros(high_ ^ all));
  }
  /// The same bytes as at `other`.
  [[nodiscard]] std::uint32_t same_as(const char* other) const {
    return both(zeros(low_ ^ load8(other)), zeros(high_ ^ load8(other + 8)));
  }
  /// The control characters under the blank.
  [[nodiscard]] std::uint32_t control() const { return both(below(low_, ' '), below(high_, ' ')); }
  [[nodiscard]] std::uint32_t control_or_quote() const { return control() | equal('"'); }
  /// The same, and these two.
  [[nodiscard]] std::uint32_t control_or_quote_or(char first, char second) const {
    return control_or_quote() | equal(first) | equal(second);
  }
  [[nodiscard]] std::uint32_t blank_or_control() const {
    return both(below(low_, ' ' + 1), below(high_, ' ' + 1));
  }
  /// Control characters and all others up to the comma: the blank and !"#$%&'()*+ too.
  [[nodiscard]] std::uint32_t up_to_comma() const {
    return both(below(low_, ',' + 1), below(high_, ',' + 1));
  }
  /// All bytes but 0-9.
  [[nodiscard]] std::uint32_t no_digits() const {
    const std::uint64_t zero = in_every_byte('0');
    return ~both(below(low_ ^ zero, 10), below(high_ ^ zero, 10)) & kAllSixteen;
  }
  /// The bytes over 127.
  [[nodiscard]] std::uint32_t not_ascii() const {
    return both(low_ & in_every_byte(0x80), high_ & in_every_byte(0x80));
  }

 private:
  // Marks are the highest bits of bytes. All of these are exact: no carry leaves its byte.
  static std::uint64_t zeros(std::uint64_t bytes) { return below(bytes, 1); }
  static std::uint64_t below(std::uint64_t bytes, unsigned char limit) {
    const std::uint64_t low_bits = bytes & in_every_byte(0x7f);
    const auto room = in_every_byte(static_cast<unsigned char>(0x80 - limit));
    return ~((low_bits + room) | bytes) & in_every_byte(0x80);
  }
  /// The product moves the mark of each byte into one byte.
  static std::uint32_t bits(std::uint64_t marks) {
    return static_cast<std::uint32_t>(((marks >> 7) * 0x0102040810204080U) >> 56);
  }
  static std::uint32_t both(std::uint64_t low, std::uint64_t high) {
    return bits(low) | bits(high) << 8;
  }

  std::uint64_t low_;
  std::uint64_t high_;
};

#if defined(__SSE2__)

/// The same with SSE2. What each function answers is said above.
class SixteenBytes {
 public:
  explicit SixteenBytes(const char* p)
      : bytes_(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))) {}

  void store(char* to) const { _mm_storeu_si128(reinterpret_cast<__m128i*>(to), bytes_); }
  SixteenBytes& operator|=(const SixteenBytes& other) {
    bytes_ = either(bytes_, other.bytes_);
    return *this;
  }
  [[nodiscard]] std::uint32_t equal(char wanted) const { return bits(are(wanted)); }
  [[nodiscard]] std::uint32_t same_as(const char* other) const {
    return bits(_mm_cmpeq_epi8(bytes_, SixteenBytes(other).bytes_));
  }
  [[nodiscard]] std::uint32_t control() const { return bits(at_most(bytes_, ' ' - 1)); }
  [[nodiscard]] std::uint32_t control_or_quote() const { return bits(controls_and_quotes()); }
  [[nodiscard]] std::uint32_t control_or_quote_or(char first, char second) const {
    return bits(either(controls_and_quotes(), either(are(first), are(second))));
  }
  [[nodiscard]] std::uint32_t blank_or_control() const { return bits(at_most(bytes_, ' ')); }
  [[nodiscard]] std::uint32_t up_to_comma() const { return bits(at_most(bytes_, ',')); }
  [[nodiscard]] std::uint32_t no_digits() const {
    const __m128i values = _mm_xor_si128(bytes_, _mm_set1_epi8('0'));
    // The highest bit, of which the bits are made, is set by ten and more; a sum stops at 255.
    return bits(_mm_adds_epu8(values, _mm_set1_epi8(0x80 - 10)));
  }
  [[nodiscard]] std::uint32_t not_ascii() const { return bits(bytes_); }

 private:
  static __m128i either(__m128i a, __m128i b) { return _mm_or_si128(a, b); }
  [[nodiscard]] __m128i are(char wanted) const {
    return _mm_cmpeq_epi8(bytes_, _mm_set1_epi8(wanted));
  }
  /// With one bit turned round, the quote comes behind the control characters, and the blank does
  /// not.
  [[nodiscard]] __m128i controls_and_quotes() const {
    return at_most(_mm_xor_si128(bytes_, _mm_set1_epi8('"' ^ ' ')), ' ');
  }
  /// Compared as numbers without a sign, of which SSE2 knows the lesser of two only.
  static __m128i at_most(__m128i bytes, char most) {
    return _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(most)), bytes);
  }
  static std::uint32_t bits(__m128i marks) {
    return static_cast<std::uint32_t>(_mm_movemask_epi8(marks));
  }

  __m128i bytes_;
};

#else

using SixteenBytes = PortableSixteenBytes;

#endif

}  // namespace caravel
