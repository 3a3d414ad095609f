#include "formatter/patterns/pattern.h"

#include <algorithm>

#include <fmt/format.h>

#include "formatter/patterns/capture_types.h"

namespace caravel::formatter {

const Op& Pattern::op_of(std::size_t capture) const {
  // There is one: slots are given out by the ops. A literal's slot is 0 and means nothing.
  return *std::find_if(ops_.begin(), ops_.end(), [&](const Op& op) {
    return op.type != CaptureType::literal && op.capture == capture;
  });
}

std::size_t Pattern::shared_with(const Pattern& other) const {
  // Names do not count: two ops are equal if they do the same to a line and leave the result in the
  // same slot.
  const std::size_t least = std::min(ops_.size(), other.ops_.size());
  std::size_t shared = 0;
  while (shared < least && ops_[shared] == other.ops_[shared]) ++shared;
  return shared;
}

std::string Pattern::label(const Op& op) const {
  const std::string_view type = row_of(op.type).name;
  const std::string& name = names_[op.capture];
  return name.empty() ? std::string(type) : fmt::format("{}:{}", name, type);
}

std::string Pattern::expectation(std::size_t index, MatchState::Wanted wanted) const {
  if (wanted == MatchState::Wanted::blank) return "a blank";
  // All ops matched, and something was left over.
  if (index >= ops_.size()) return "the end of the line";
  const Op& op = ops_[index];
  if (wanted == MatchState::Wanted::text || op.type == CaptureType::literal) {
    return fmt::format("\"{}\"", op.text.text());
  }
  const CaptureRow& row = row_of(op.type);
  // The result stands in the reason of a reject, so it speaks of values and not of ops.
  std::string text(row.expectation);
  if (!op.times.empty()) text += " " + op.times.front().text();
  // Only a choice lists its options: whoever reads "one of" must learn of what.
  if (row.argument == Argument::options) {
    for (const auto& option : op.options) {
      text += (&option == &op.options.front() ? " " : ", ") + option.word.text();
    }
  }
  if (!names_[op.capture].empty()) text += fmt::format(" ({})", names_[op.capture]);
  return text;
}

}  // namespace caravel::formatter
