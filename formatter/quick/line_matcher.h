// Which kind a line is of, and where its captures are: what Matcher and Pattern::match() say
// (formatter/records, formatter/patterns), found in a quicker way or not at all.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "formatter/patterns/year.h"
#include "formatter/quick/program.h"

namespace caravel::formatter {

/// Matches lines as they stand in the buffer, neither trimmed nor split: the end of a line is found
/// on the way. For one thread.
class LineMatcher {
 public:
  /// `format` and `years` must outlive it.
  LineMatcher(const Format& format, const YearTable& years, QuickProgram program);

  /// Whether the line at `line` is sure to be of a kind. All of it must be ASCII without NUL, its
  /// LF and kBehindLine bytes behind that must be readable. `Bytes` is SixteenBytes, or in tests
  /// its portable twin.
  template <class Bytes>
  [[nodiscard]] bool match(const char* line);

  // Of a line that matched:
  [[nodiscard]] std::uint32_t kind() const { return kind_; }
  [[nodiscard]] const MatchState& state() const { return state_; }
  /// Behind the trimmed line; a CR LF or a LF follows.
  [[nodiscard]] const char* end() const { return end_; }

 private:
  /// A run of the step that stands at `p`, beside the first; nullptr if none does.
  template <class Bytes>
  [[gnu::noinline]] const MetRun* find_run(QuickStep& step, const char* p);
  /// Whether a run whose first bytes stand at `p` goes on there; sets its captures.
  template <class Bytes>
  bool take_more(const MetRun& run, const char* p);
  /// Takes a step as Pattern::match() would, and learns its run. The place behind the step's value,
  /// or nullptr: then
  /// op failed_ is the one that failed.
  const char* by_reference(QuickStep& step, const char* p);
  static void learn(QuickStep& step, std::string_view text,
                    std::span<const MetRun::Captured> captured);
  /// The places behind the literal of an op, and behind its value; nullptr if they are not there.
  static const char* behind_literal(const Op& op, const char* p);
  const char* behind_value(const Op& op, const char* p);

  const Format& format_;
  const YearTable& years_;
  QuickProgram program_;
  MatchState state_;
  std::array<const char*, kMaxOps + 1> began_;  // where each step of the kind did
  std::size_t failed_ = 0;
  std::uint32_t kind_ = 0;
  const char* end_ = nullptr;
};

}  // namespace caravel::formatter
