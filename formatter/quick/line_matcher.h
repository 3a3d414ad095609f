// Which kind a line is of, and where its captures are: what Matcher and Pattern::match() say
// (formatter/records, formatter/patterns), found in a quicker way or not at all.
#pragma once

#include <array>
#include <cstdint>

#include "formatter/input/line_splitter.h"
#include "formatter/patterns/year.h"
#include "formatter/quick/program.h"
#include "formatter/records/matcher.h"

namespace caravel::formatter {

/// Matches lines as they stand in the buffer, neither trimmed nor split: the end of a line is found
/// on the way. For one thread.
class LineMatcher {
 public:
  /// `format` and `years` must outlive it.
  LineMatcher(const Format& format, const YearTable& years, QuickProgram program);

  enum class Outcome : std::uint8_t {
    left,     // it is not sure what the line is
    matched,  // it is of a kind
    failed,   // it is of none, if no blank or CR stands ahead of its LF
  };
  /// What is sure of the line at `line`. All of it must be ASCII without NUL, its LF and
  /// kBehindLine bytes behind that must be readable. `Bytes` is SixteenBytes, or in tests its
  /// portable twin.
  template <class Bytes>
  [[nodiscard]] Outcome match(const char* line);

  // Of a line that matched:
  [[nodiscard]] std::uint32_t kind() const { return kind_; }
  [[nodiscard]] const MatchState& state() const { return state_; }
  /// Behind the trimmed line; a CR LF or a LF follows.
  [[nodiscard]] const char* end() const { return end_; }
  /// Of a line that is of no kind.
  [[nodiscard]] const Furthest& furthest() const { return furthest_; }

 private:
  /// Takes a step as Pattern::match() would, and learns its run. The place behind the step's value,
  /// or nullptr: then op failed_ is the one that failed, which told_by_ bytes from `p` on tell.
  const char* by_reference(QuickStep& step, const char* p);
  /// What is known of the failures of another line.
  void forget_failures();
  /// Notes that op failed_ did.
  const char* fail_at(const QuickStep& step, const char* p, MatchState::Wanted wanted);
  /// The step that goes on where one that began at `p` failed; nullptr if none does.
  QuickStep* go_over(QuickStep& step, const char* p);
  /// Writes the rest of the line, from `p` on, anew with one blank where there are several or a
  /// tab. Where that begins; nullptr if there is nothing to change, or too much.
  const char* rewrite_blanks(const char* p);
  [[nodiscard]] bool is_rewritten(const char* p) const {
    return p > rewritten_.begin() && p < rewritten_.end();
  }

  static constexpr std::size_t kMostRewritten = 1024;
  static constexpr std::size_t kNotTold = ~std::size_t{0};

  const Format& format_;
  const YearTable& years_;
  QuickProgram program_;
  MatchState state_;
  std::array<const char*, kMaxOps + 1> began_;  // where each step of the kind did
  std::size_t failed_ = 0;
  std::size_t told_by_ = kNotTold;
  /// The step that failed first at a place where others were tried then, and the bytes that told
  /// that all of these failed.
  QuickStep* failed_first_ = nullptr;
  const char* failed_first_at_ = nullptr;
  std::size_t first_told_by_ = kNotTold;
  /// A byte ahead of it, and bytes that may be read behind it.
  std::array<char, 1 + kMostRewritten + 2 * kBehindLine> rewritten_;
  const char* rewritten_end_ = nullptr;  // of the line in the buffer; nullptr: it stands there
  Furthest furthest_;
  Outcome outcome_ = Outcome::left;
  std::uint32_t kind_ = 0;
  const char* end_ = nullptr;
};

}  // namespace caravel::formatter
