#include "formatter/quick/line_matcher.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/bytes/sixteen_bytes.h"
#include "formatter/quick/quick_values.h"

namespace caravel::formatter {
namespace {

/// A run that was met so often behind others moves one place ahead.
constexpr std::uint32_t kHitsToMove = 16;
/// So many texts are learnt as they stand. After that, a line with other blanks is written anew.
constexpr std::uint16_t kLearntWithBlanks = 2;
/// So many misses of a step are each a chance to learn.
constexpr std::uint16_t kLearntAtOnce = 64;

/// The bytes of a run, known to be aligned: an operand of the comparison, without a load.
[[gnu::always_inline]] inline const char* aligned(const char* bytes) {
  return static_cast<const char*>(__builtin_assume_aligned(bytes, 16));
}

/// Whether the first sixteen bytes of the run stand at `p`.
template <class Bytes>
[[gnu::always_inline]] inline bool begins_at(const MetRun& run, const char* p) {
  return (Bytes(p).same_as(aligned(run.bytes)) | run.free[0]) == kAllSixteen;
}
/// Whether those behind them do too. If the first are the same, the line goes on for as long, since
/// no run holds a LF.
template <class Bytes>
[[gnu::always_inline]] inline bool goes_on_at(const MetRun& run, const char* p) {
  if (run.size <= 16) return true;
  if ((Bytes(p + 16).same_as(aligned(run.bytes + 16)) | run.free[1]) != kAllSixteen) return false;
  return run.size <= 32 ||
         (Bytes(p + 32).same_as(aligned(run.bytes + 32)) | run.free[2]) == kAllSixteen;
}

/// Whether the run stands at `p`; sets its captures.
template <class Bytes>
[[gnu::always_inline]] inline bool stands_at(const MetRun& run, const char* p) {
  if (!begins_at<Bytes>(run, p)) return false;
  if (!run.has_more) return true;
  if (!goes_on_at<Bytes>(run, p)) return false;
  for (const MetRun::Captured* captured = run.captured; captured->to != nullptr; ++captured) {
    *captured->to = {p + captured->begin, p + captured->end, captured->number};
  }
  return true;
}

/// Those that are met more often move ahead.
[[gnu::noinline]] MetRun* move_ahead(const QuickStep& step, MetRun* run) {
  run->hits = 0;
  if (run == step.runs + 1 && run->step != step.number) return run;
  std::swap(run[0], run[-1]);
  return run - 1;
}

/// The run of the step that stands at `p`, beside the first; nullptr if none does.
template <class Bytes>
[[gnu::always_inline]] inline MetRun* other_run(QuickStep& step, const char* p) {
  MetRun* run = step.runs + 1;
  while (run != std::end(step.runs) && !stands_at<Bytes>(*run, p)) ++run;
  if (run == std::end(step.runs)) return nullptr;
  return ++run->hits > kHitsToMove ? move_ahead(step, run) : run;
}

/// What came of the blanks and the literal of an op: where they end, or nullptr; if they are not
/// there, the bytes ahead of `told_by` tell that.
struct Ahead {
  const char* end;
  const char* told_by;
  // If they are not there: what is not, and where it was wanted.
  MatchState::Wanted wanted = MatchState::Wanted::value;
  const char* at = nullptr;
};

Ahead behind_literal(const Op& op, const char* p) {
  if (op.blanks_before) {
    if (!is_blank(*p)) return {nullptr, p + 1, MatchState::Wanted::blank, p};
    do ++p;
    while (is_blank(*p));
  }
  const std::string& text = op.text.text();
  if (text.empty() || op.text.stands_at(p)) return {p + text.size(), p};
  return {nullptr, std::mismatch(text.begin(), text.end(), p).second + 1, MatchState::Wanted::text,
          p};
}

}  // namespace

LineMatcher::LineMatcher(const Format& format, const YearTable& years, QuickProgram program)
    : format_(format), years_(years), program_(std::move(program)) {
  for (QuickStep& step : program_.steps) step.to = &state_.captures[step.capture];
  rewritten_.fill('\0');
}

template <class Bytes>
LineMatcher::Outcome LineMatcher::match(const char* line) {
  // A text would take blanks that do not belong to the line.
  if (*line <= ' ') return Outcome::left;
  QuickStep* const steps = program_.steps.data();
  QuickStep* step = steps;
  const char** began = began_.data();
  const char* p = line;
  // What the parsers said of a line that has blanks or a CR at its end may not hold for the trimmed
  // one, which they are meant to see.
  bool was_asked = false;
  bool may_rewrite = program_.blanks_are_free;
  for (;;) {
    *began = p;
    MetRun* run = step->runs;
    const char* next = nullptr;
    if (!stands_at<Bytes>(*run, p)) [[unlikely]] {
      run = other_run<Bytes>(*step, p);
      if (run != nullptr && run->step != step->number) step = steps + run->step;
    }
    if (run != nullptr) [[likely]]
      next = quick_value<Bytes>(*step, p + run->size, *step->to);
    if (next == nullptr) [[unlikely]] {
      if (!std::exchange(was_asked, true)) forget_failures();
      if (step->misses >= kLearntWithBlanks && std::exchange(may_rewrite, false)) {
        if (const char* const rewritten = rewrite_blanks(p)) {
          p = rewritten;
          continue;
        }
      }
      next = by_reference(*step, p);
    }
    if (step->value == QuickValue::end && next != nullptr) {
      // The trimmed line ends with no blank.
      const bool is_whole = next != line && next[-1] > ' ';
      if (is_whole && (*next == '\n' || (*next == '\r' && next[1] == '\n' && !was_asked))) {
        kind_ = step->kind;
        end_ = was_asked && is_rewritten(next) ? rewritten_end_ : next;
        return Outcome::matched;
      }
      if (is_blank(*next) || *next == '\r' || *next == '\n') return Outcome::left;
      // Text is left over.
      if (!std::exchange(was_asked, true)) forget_failures();
      failed_ = step->value_op;
      told_by_ = kNotTold;
      next = fail_at(*step, next, MatchState::Wanted::value);
    }
    if (next != nullptr) [[likely]] {
      p = next;
      ++step;
      ++began;
      continue;
    }
    step = go_over(*step, p);
    if (step == nullptr) return outcome_;
    began = began_.data() + step->index;
    p = *began;
  }
}

template LineMatcher::Outcome LineMatcher::match<SixteenBytes>(const char* line);
#if defined(__SSE2__)
template LineMatcher::Outcome LineMatcher::match<PortableSixteenBytes>(const char* line);
#endif

void LineMatcher::forget_failures() {
  failed_first_ = nullptr;
  rewritten_end_ = nullptr;
  furthest_.at = nullptr;
}

const char* LineMatcher::fail_at(const QuickStep& step, const char* p, MatchState::Wanted wanted) {
  // The first of those that came as far.
  if (p > furthest_.at) furthest_ = {p, wanted, step.kind, failed_, false};
  return nullptr;
}

QuickStep* LineMatcher::go_over(QuickStep& step, const char* p) {
  const std::uint16_t other = step.on_failure[failed_ - step.first_op];
  if (other >= QuickStep::kUnsure) {
    const bool is_sure = other == QuickStep::kNone && rewritten_end_ == nullptr;
    outcome_ = is_sure ? Outcome::failed : Outcome::left;
    return nullptr;
  }
  QuickStep& to = program_.steps[other];
  if (began_[to.index] != p) {
    failed_first_ = nullptr;
    return &to;
  }
  if (failed_first_ == nullptr || failed_first_at_ != p) {
    failed_first_ = &step;
    failed_first_at_ = p;
    first_told_by_ = told_by_;
  } else {
    first_told_by_ = std::max(first_told_by_, told_by_);
  }
  for (const MetRun& run : to.runs) {
    if (!run.is_met() || run.step != to.number || run.size < first_told_by_ ||
        std::memcmp(run.bytes, p, run.size) != 0) {
      continue;
    }
    failed_first_->learn(run);
    break;
  }
  return &to;
}

const char* LineMatcher::rewrite_blanks(const char* p) {
  char* to = rewritten_.data() + 1;
  const char* const begin = p;
  std::uint32_t all_tabs = 0;
  for (;;) {
    if (p - begin > static_cast<std::ptrdiff_t>(kMostRewritten)) return nullptr;
    const SixteenBytes bytes(p);
    bytes.store(to);
    const std::uint32_t tabs = bytes.equal('\t');
    const std::uint32_t blanks = bytes.equal(' ') | tabs;
    const std::uint32_t stops = tabs | (blanks & blanks >> 1) | bytes.equal('\n');
    if (stops == 0) {
      // The last byte once more: it may be a blank with another one behind it.
      p += 15;
      to += 15;
      continue;
    }
    const std::size_t size = first_of_some(stops);
    p += size;
    to += size;
    if (*p == '\n') break;
    *to++ = ' ';
    all_tabs |= tabs;
    // If all that follow are blanks, more of them may come.
    p += first_of_some(~(blanks >> size));
    while (is_blank(*p)) ++p;
  }
  if (all_tabs == 0 && p - begin == to - rewritten_.data() - 1) return nullptr;
  *to = '\n';
  rewritten_end_ = p;
  return rewritten_.data() + 1;
}

const char* LineMatcher::by_reference(QuickStep& step, const char* p) {
  constexpr std::ptrdiff_t kMostBytes = MetRun::kMostBytes;
  const Op* const ops = format_.kinds[step.kind].pattern.ops().data();
  const char* const begin = p;
  MetRun::Captured captured[MetRun::kMostCaptures];
  std::size_t captures = 0;
  bool fits = true;
  for (failed_ = step.first_op; failed_ < step.value_op; ++failed_) {
    const Op& op = ops[failed_];
    const Ahead ahead = behind_literal(op, p);
    told_by_ = static_cast<std::size_t>(ahead.told_by - begin);
    if (ahead.end == nullptr) return fail_at(step, ahead.at, ahead.wanted);
    p = ahead.end;
    if (op.type == CaptureType::literal) continue;
    Capture& capture = state_.captures[op.capture];
    p = parse(op, p, years_, capture);
    if (p == nullptr) {
      told_by_ = kNotTold;
      return fail_at(step, ahead.end, MatchState::Wanted::value);
    }
    if (!program_.is_needed(op.capture)) continue;
    fits = fits && captures < MetRun::kMostCaptures && p - begin <= kMostBytes;
    if (!fits) continue;
    captured[captures++] = {&capture, static_cast<std::uint8_t>(capture.begin - begin),
                            static_cast<std::uint8_t>(capture.end - begin), capture.number};
  }
  if (step.op != nullptr) {
    const Ahead ahead = behind_literal(*step.op, p);
    told_by_ = static_cast<std::size_t>(ahead.told_by - begin);
    if (ahead.end == nullptr) return fail_at(step, ahead.at, ahead.wanted);
    p = ahead.end;
  }
  // The first runs are learnt at once, later ones need not be learnt at each chance.
  if (fits && p - begin <= kMostBytes && (step.misses++ < kLearntAtOnce || step.misses % 4 == 0)) {
    step.learn({{begin, static_cast<std::size_t>(p - begin)}, {captured, captures}, step.number});
  }
  told_by_ = kNotTold;
  if (step.op == nullptr) return p;
  const char* const end = parse(*step.op, p, years_, state_.captures[step.op->capture]);
  return end != nullptr ? end : fail_at(step, p, MatchState::Wanted::value);
}

}  // namespace caravel::formatter
