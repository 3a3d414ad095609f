// Comparing and scanning eight bytes at a time, in one register of the processor: what loops over
// every byte of every line are built from. Whoever calls must be allowed to read eight bytes.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace caravel {

// Where the first byte that differs is, is read from the lowest bits.
static_assert(std::endian::native == std::endian::little);

inline std::uint64_t load8(const char* p) {
  std::uint64_t value;
  std::memcpy(&value, p, sizeof value);
  return value;
}

constexpr std::uint64_t in_every_byte(unsigned char value) {
  return std::uint64_t{0x0101010101010101} * value;
}

// Marks are the highest bits of bytes. A borrow or carry goes upwards, from a byte that is marked
// already: the lowest mark is always right, those above it need not be.

/// Marks the bytes under `limit`, which is at most 128.
inline std::uint64_t mark_less(std::uint64_t bytes, unsigned char limit) {
  return (bytes - in_every_byte(limit)) & ~bytes & in_every_byte(0x80);
}

inline std::uint64_t mark_equal(std::uint64_t bytes, char wanted) {
  return mark_less(bytes ^ in_every_byte(static_cast<unsigned char>(wanted)), 1);
}

/// The index of the lowest mark; there is one.
inline int lowest_mark(std::uint64_t marks) { return std::countr_zero(marks) >> 3; }

/// The place behind the digits that begin at `p`. Something else must follow them in memory.
inline const char* skip_digits(const char* p) {
  for (;; p += 8) {
    // 0-9 for digits, more for everything else; then the highest bit tells.
    const std::uint64_t values = load8(p) ^ in_every_byte('0');
    const std::uint64_t others =
        ((values + in_every_byte(0x80 - 10)) | values) & in_every_byte(0x80);
    if (others != 0) return p + lowest_mark(others);
  }
}

/// A text that is looked for at one place after another.
class FixedText {
 public:
  FixedText() = default;
  explicit FixedText(std::string_view text) : text_(text) {
    char head[8] = {};
    char mask[8] = {};
    for (std::size_t i = 0; i < 8 && i < text_.size(); ++i) {
      head[i] = text_[i];
      mask[i] = '\xff';
    }
    head_ = load8(head);
    mask_ = load8(mask);
  }

  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] std::size_t size() const { return text_.size(); }
  bool operator==(const FixedText& other) const { return text_ == other.text_; }

  /// Whether it stands at `p`. A line end must follow in memory, and eight bytes behind that; the
  /// text itself holds none.
  [[nodiscard]] bool stands_at(const char* p) const {
    if ((load8(p) & mask_) != head_) return false;
    // Eight bytes that are the same hold no line end, so eight more can be read. The last eight may
    // overlap those before.
    for (std::size_t at = 8; at + 8 < size(); at += 8) {
      if (load8(p + at) != load8(text_.data() + at)) return false;
    }
    return size() <= 8 || load8(p + size() - 8) == load8(text_.data() + size() - 8);
  }

 private:
  std::string text_;
  std::uint64_t head_ = 0;  // the first eight bytes, zero padded…
  std::uint64_t mask_ = 0;  // … and which of them count
};

}  // namespace caravel
