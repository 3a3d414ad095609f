// The beginning of a log, from which a format is suggested.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "formatter/input/input.h"

namespace caravel::formatter {

/// How much of a log is looked at. A log's later lines are seldom of other kinds than its first ten
/// MiB, and a person waits for the answer.
constexpr std::size_t kMostSampleBytes = std::size_t{10} << 20;
constexpr std::size_t kMostSampleLines = 100'000;

/// Whole lines from the start of a log. It is not copied: `lines` point into `text`.
struct Sample {
  Sample() = default;
  Sample(const Sample&) = delete;
  Sample& operator=(const Sample&) = delete;
  Sample(Sample&&) = default;
  Sample& operator=(Sample&&) = default;

  std::vector<char> text;      // UTF-8; ends with a LF unless it is empty
  std::vector<char> original;  // the bytes that it was decoded from; empty if none were
  std::string encoding;        // the key `encoding` that these need; "" for UTF-8
  std::vector<std::string_view>
      lines;                   // trimmed, not empty, valid UTF-8, without control characters
  std::size_t unreadable = 0;  // lines that are not empty and are none of `lines`
  bool whole = true;           // false: the log is longer than the sample

  [[nodiscard]] std::string_view view() const { return {text.data(), text.size()}; }
  /// As the log has it.
  [[nodiscard]] std::string_view bytes() const {
    return encoding.empty() ? view() : std::string_view(original.data(), original.size());
  }
};

/// Takes a sample of `bytes`; what lies behind the limits is left out. Text that is no UTF-8 is
/// decoded: UTF-16 by its mark, and cp1252 where one line in twenty makes sense only so.
[[nodiscard]] Sample sample_of(std::string_view bytes);

/// Reads a sample from the front of `input`. Errors: those of Input::read().
[[nodiscard]] Result<Sample> read_sample(Input& input);

}  // namespace caravel::formatter
