// What the values of one column have in common.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>

namespace caravel::formatter {

/// Least and greatest value, how many different ones, how many empty. Memory: a few values, and a
/// number for each of the first `most_distinct` different ones.
class ValueRange {
 public:
  explicit ValueRange(std::size_t most_distinct) : most_distinct_(most_distinct) {}

  void add(std::string_view value);

  [[nodiscard]] std::uint64_t filled() const { return filled_; }
  [[nodiscard]] std::uint64_t empty() const { return empty_; }
  /// Whether each value is a decimal number, with or without sign, point and exponent.
  [[nodiscard]] bool numbers() const { return filled_ > 0 && numbers_ == filled_; }
  /// In the order of numbers if numbers(), else in the order of bytes; of a long value its
  /// beginning. "" before the first value.
  [[nodiscard]] const std::string& least() const { return numbers() ? least_number_ : least_; }
  [[nodiscard]] const std::string& greatest() const {
    return numbers() ? greatest_number_ : greatest_;
  }
  /// How many different values, if more_distinct() is false; else how many were told apart.
  [[nodiscard]] std::size_t distinct() const { return distinct_.size(); }
  [[nodiscard]] bool more_distinct() const { return more_distinct_; }

 private:
  std::size_t most_distinct_;
  std::uint64_t filled_ = 0;
  std::uint64_t empty_ = 0;
  std::uint64_t numbers_ = 0;
  std::string least_;
  std::string greatest_;
  std::string least_number_;
  std::string greatest_number_;
  std::unordered_set<std::size_t> distinct_;  // hashes
  bool more_distinct_ = false;
};

/// Whether `a` is the lesser of two decimal numbers, digit by digit: no digit is lost to a float.
/// An exponent counts as its double does.
[[nodiscard]] bool is_lesser_number(std::string_view a, std::string_view b);

}  // namespace caravel::formatter
