#include "formatter/explain/value_range.h"

#include <algorithm>
#include <charconv>
#include <functional>

#include "base/text.h"

namespace caravel::formatter {
namespace {

/// Of a longer value so many bytes are kept: enough to recognize it by.
constexpr std::size_t kKeptBytes = 64;

/// A decimal number in its parts. Without exponent: `whole` has no zeros in front.
struct Decimal {
  bool valid = false;
  bool negative = false;
  bool exponent = false;
  std::string_view whole;
  std::string_view fraction;
};

std::string_view take_digits(std::string_view& text) {
  std::size_t count = 0;
  while (count < text.size() && is_digit(text[count])) ++count;
  const std::string_view digits = text.substr(0, count);
  text.remove_prefix(count);
  return digits;
}

Decimal decimal_of(std::string_view text) {
  Decimal out;
  if (text.starts_with('-') || text.starts_with('+')) {
    out.negative = text.front() == '-';
    text.remove_prefix(1);
  }
  out.whole = take_digits(text);
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    out.fraction = take_digits(text);
    if (out.fraction.empty()) return out;
  }
  if (out.whole.empty()) return out;
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
    if (take_digits(text).empty()) return out;
    out.exponent = true;
  }
  out.valid = text.empty();
  out.whole.remove_prefix(std::min(out.whole.find_first_not_of('0'), out.whole.size()));
  const std::size_t last = out.fraction.find_last_not_of('0');
  out.fraction = out.fraction.substr(0, last == std::string_view::npos ? 0 : last + 1);
  return out;
}

double approximation(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  (void)std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/// -1, 0 or 1, of the digits alone.
int compare_digits(const Decimal& a, const Decimal& b) {
  if (a.whole.size() != b.whole.size()) return a.whole.size() < b.whole.size() ? -1 : 1;
  if (const int whole = a.whole.compare(b.whole); whole != 0) return whole;
  return a.fraction.compare(b.fraction);
}

}  // namespace

bool is_lesser_number(std::string_view a, std::string_view b) {
  const Decimal left = decimal_of(a);
  const Decimal right = decimal_of(b);
  if (left.exponent || right.exponent) return approximation(a) < approximation(b);
  const bool left_zero = left.whole.empty() && left.fraction.empty();
  const bool right_zero = right.whole.empty() && right.fraction.empty();
  const bool left_negative = left.negative && !left_zero;
  const bool right_negative = right.negative && !right_zero;
  if (left_negative != right_negative) return left_negative;
  const int order = compare_digits(left, right);
  return left_negative ? order > 0 : order < 0;
}

void ValueRange::add(std::string_view value) {
  if (value.empty()) {
    ++empty_;
    return;
  }
  const bool first = filled_++ == 0;
  if (distinct_.size() < most_distinct_) {
    distinct_.insert(std::hash<std::string_view>{}(value));
  } else if (!more_distinct_) {
    more_distinct_ = !distinct_.contains(std::hash<std::string_view>{}(value));
  }
  const std::string_view kept = value.substr(0, kKeptBytes);
  if (first || kept < least_) least_ = kept;
  if (first || kept > greatest_) greatest_ = kept;
  // Once a value was no number, the others need not be compared as such.
  if (numbers_ + 1 != filled_ || value.size() > kKeptBytes || !decimal_of(value).valid) return;
  ++numbers_;
  if (first || is_lesser_number(value, least_number_)) least_number_ = value;
  if (first || is_lesser_number(greatest_number_, value)) greatest_number_ = value;
}

}  // namespace caravel::formatter
