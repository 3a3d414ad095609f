#include "uploader/postgresql/wire/numeric.h"

#include <charconv>
#include <cstdint>
#include <system_error>

#include "base/text.h"
#include "uploader/postgresql/wire/integers.h"

namespace caravel::uploader {
namespace {

// Of src/backend/utils/adt/numeric.c: the value is sign * 0.DDDD DDDD … * 10000^(weight + 1).
constexpr std::int64_t kDigitsOfGroup = 4;
constexpr std::uint16_t kNegative = 0x4000;
constexpr std::int64_t kMostBeforePoint = 131072;
constexpr std::int64_t kMostBehindPoint = 16383;

/// A decimal number taken apart.
struct Parts {
  bool negative = false;
  bool has_sign = false;
  std::string_view before;  // digits before the point, and behind it
  std::string_view behind;
  bool has_point = false;
  std::int64_t exponent = 0;
};

std::string_view take_digits(std::string_view& rest) {
  std::size_t count = 0;
  while (count < rest.size() && is_digit(rest[count])) ++count;
  const std::string_view digits = rest.substr(0, count);
  rest.remove_prefix(count);
  return digits;
}

bool take_exponent(std::string_view rest, Parts& parts) {
  if (rest.empty()) return true;
  if (rest.front() != 'e' && rest.front() != 'E') return false;
  rest.remove_prefix(1);
  if (rest.starts_with('+')) rest.remove_prefix(1);
  const char* const end = rest.data() + rest.size();
  const auto [stop, status] = std::from_chars(rest.data(), end, parts.exponent);
  // No more digits than these are kept anyhow; sums with it must not overflow.
  constexpr std::int64_t kMostExponent = 1'000'000;
  return status == std::errc{} && stop == end && parts.exponent <= kMostExponent &&
         parts.exponent >= -kMostExponent;
}

bool take_apart(std::string_view text, Parts& parts) {
  parts.has_sign = text.starts_with('-') || text.starts_with('+');
  parts.negative = text.starts_with('-');
  if (parts.has_sign) text.remove_prefix(1);
  parts.before = take_digits(text);
  parts.has_point = text.starts_with('.');
  if (parts.has_point) {
    text.remove_prefix(1);
    parts.behind = take_digits(text);
  }
  return !(parts.before.empty() && parts.behind.empty()) && take_exponent(text, parts);
}

/// The digits of both parts, as one row of them, without zeros in front.
class Digits {
 public:
  explicit Digits(const Parts& parts)
      : parts_(parts),
        count_(static_cast<std::int64_t>(parts.before.size() + parts.behind.size())) {
    while (first_ < count_ && at(first_) == 0) ++first_;
  }
  [[nodiscard]] bool is_zero() const { return first_ == count_; }
  /// How many digits stand before the point; negative: so many zeros behind it.
  [[nodiscard]] std::int64_t before_point() const {
    return static_cast<std::int64_t>(parts_.before.size()) + parts_.exponent - first_;
  }
  [[nodiscard]] std::int64_t count() const { return count_ - first_; }
  /// The digit at `place` from the first that counts; 0 before and behind them.
  [[nodiscard]] unsigned digit(std::int64_t place) const {
    return place < 0 || place >= count() ? 0U : at(first_ + place);
  }

 private:
  [[nodiscard]] unsigned at(std::int64_t i) const {
    const auto index = static_cast<std::size_t>(i);
    const std::size_t before = parts_.before.size();
    const char c = index < before ? parts_.before[index] : parts_.behind[index - before];
    return static_cast<unsigned>(c - '0');
  }

  const Parts& parts_;
  std::int64_t count_;
  std::int64_t first_ = 0;
};

}  // namespace

bool append_numeric(std::string_view text, std::string& out) {
  Parts parts;
  if (!take_apart(text, parts)) return false;
  const Digits digits(parts);
  const std::int64_t shown = static_cast<std::int64_t>(parts.behind.size()) - parts.exponent;
  const std::int64_t scale = shown > 0 ? shown : 0;
  if (scale > kMostBehindPoint) return false;
  if (digits.is_zero()) {
    append_int16(0, out);
    append_int16(0, out);
    append_int16(0, out);
    append_int16(static_cast<std::uint16_t>(scale), out);
    return true;
  }
  const std::int64_t before = digits.before_point();
  if (before > kMostBeforePoint) return false;
  // The first group holds the digits that are left over before the point: rounded up, also for
  // numbers below 1.
  std::int64_t groups_before = before / kDigitsOfGroup;
  if (before > 0 && before % kDigitsOfGroup != 0) ++groups_before;
  const std::int64_t pad = groups_before * kDigitsOfGroup - before;
  std::int64_t groups = (pad + digits.count() + kDigitsOfGroup - 1) / kDigitsOfGroup;
  const auto group = [&](std::int64_t index) {
    unsigned value = 0;
    for (std::int64_t i = 0; i < kDigitsOfGroup; ++i) {
      value = value * 10 + digits.digit(index * kDigitsOfGroup + i - pad);
    }
    return static_cast<std::uint16_t>(value);
  };
  while (group(groups - 1) == 0) --groups;
  append_int16(static_cast<std::uint16_t>(groups), out);
  append_int16(static_cast<std::uint16_t>(groups_before - 1), out);
  append_int16(parts.negative ? kNegative : std::uint16_t{0}, out);
  append_int16(static_cast<std::uint16_t>(scale), out);
  for (std::int64_t i = 0; i < groups; ++i) append_int16(group(i), out);
  return true;
}

bool is_exact_json_number(std::string_view text) {
  // Nearly all texts end here.
  if (text.empty() || !(is_digit(text.front()) || text.front() == '-')) return false;
  Parts parts;
  if (!take_apart(text, parts)) return false;
  if (parts.before.empty() || (parts.has_point && parts.behind.empty())) return false;
  if (parts.before.size() > 1 && parts.before.front() == '0') return false;
  const Digits digits(parts);
  if (digits.is_zero()) return !parts.negative && parts.exponent == 0;
  // The largest double has 309 digits, and 1074 zeros and digits lead to the smallest one.
  constexpr std::int64_t kMostBefore = 308;
  constexpr std::int64_t kMostZeros = 300;
  constexpr std::int64_t kMostDigits = 1000;
  return digits.before_point() <= kMostBefore && digits.before_point() >= -kMostZeros &&
         digits.count() <= kMostDigits;
}

}  // namespace caravel::uploader
