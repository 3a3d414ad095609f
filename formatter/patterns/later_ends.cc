#include "formatter/patterns/later_ends.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "formatter/patterns/capture_types.h"

namespace caravel::formatter {
namespace {

/// What a try costs beside the bytes that it reads, in bytes.
constexpr std::ptrdiff_t kCostOfTry = 8;
/// Granted to every line, so that short ones are never given up.
constexpr std::ptrdiff_t kFreeBytes = 4096;

/// How many bytes behind `p` the parser of `op` may have read before it found that no value stands
/// there. An estimate that is never too small would have to look into every parser: it counts the
/// types whose values have no greatest length.
std::ptrdiff_t read_in_vain(const Op& op, const char* p, const char* end) {
  switch (op.type) {
    case CaptureType::quoted:
      return *p == '"' ? end - p : 0;
    case CaptureType::field:
      return end - p;
    case CaptureType::bracketed:
    case CaptureType::decimal:
    case CaptureType::epoch:
    case CaptureType::ip:
    case CaptureType::timestamp: {
      const char* at = p;
      // A timestamp may hold one blank, between date and time.
      for (int blanks = op.type == CaptureType::timestamp ? 1 : 0; at < end; ++at) {
        if (is_blank(*at) && blanks-- == 0) break;
      }
      return at - p;
    }
    default:
      return 0;
  }
}

/// Whether what ends the text of `op` may stand behind `p` once more. Quick, since it is asked for
/// each kind that did not match; wrong only if blanks must stand ahead of a literal and do not.
bool may_stand_behind(const Op& op, const char* p, const char* end) {
  if (p >= end) return false;
  const std::string_view rest(p + 1, static_cast<std::size_t>(end - p - 1));
  constexpr auto kNone = std::string_view::npos;
  if (!op.ends_at_text) return rest.find(op.stop) != kNone;
  const std::string& until = op.until.text();
  if (until.empty()) return rest.find_first_of(" \t") != kNone;
  // The last byte is sought first: the first one is mostly a blank, and there are many.
  return rest.size() >= until.size() && rest.find(until.back(), until.size() - 1) != kNone &&
         rest.find(until) != kNone;
}

/// One line against one pattern.
class Tries {
 public:
  Tries(const Pattern& pattern, const char* end, const YearTable& years, MatchState& state)
      : pattern_(pattern),
        end_(end),
        years_(years),
        state_(state),
        limits_(pattern.texts().size(), end),
        most_bytes_(kMostReads * (end - state.at[0]) + kFreeBytes) {}

  LaterEnds run(std::size_t failed) {
    note(failed);
    while (const char* const place = next_end(failed)) {
      if (result_.bytes_read > most_bytes_) {
        result_.gave_up = true;
        break;
      }
      ++result_.tries;
      const std::size_t next = pattern_.texts()[text_] + 1;
      state_.at[next] = place;
      failed = pattern_.match(next, end_, years_, state_);
      if (failed == Pattern::kMatched) {
        result_.matched = true;
        break;
      }
      charge(place, failed);
      note(failed);
    }
    return result_;
  }

 private:
  /// Lets the last text ahead of `failed` that can end later do so, and makes it text_. nullptr if
  /// there is none.
  const char* next_end(std::size_t failed) {
    const std::vector<std::size_t>& texts = pattern_.texts();
    for (text_ = texts.size(); text_-- > 0;) {
      if (texts[text_] >= failed) continue;
      const Op& op = pattern_.ops()[texts[text_]];
      Capture& capture = state_.captures[op.capture];
      const char* const from = capture.end;
      const char* const place = parse_longer_text(op, limits_[text_], capture);
      // A limit may lie ahead of the end that match() found: then nothing was read.
      result_.bytes_read += std::max(place != nullptr ? place : limits_[text_], from) - from;
      if (place != nullptr) return place;
      // Every end behind the beginning of this text has failed now. Should an earlier text grow,
      // this one begins further right, and there is nothing left to try for it there.
      limits_[text_] = std::min(limits_[text_], capture.begin);
    }
    return nullptr;
  }

  void charge(const char* from, std::size_t failed) {
    const char* const at = state_.failed_at;
    result_.bytes_read += kCostOfTry + (at - from);
    if (failed < pattern_.ops().size() && state_.wanted == MatchState::Wanted::value) {
      result_.bytes_read += read_in_vain(pattern_.ops()[failed], at, end_);
    }
  }

  void note(std::size_t failed) {
    if (result_.failed_at != nullptr && state_.failed_at <= result_.failed_at) return;
    result_.op = failed;
    result_.failed_at = state_.failed_at;
    result_.wanted = state_.wanted;
  }

  const Pattern& pattern_;
  const char* end_;
  const YearTable& years_;
  MatchState& state_;
  std::vector<const char*> limits_;  // of each text: from there on all its ends are known to fail
  std::ptrdiff_t most_bytes_;
  std::size_t text_ = 0;  // index in texts()
  LaterEnds result_;
};

}  // namespace

bool may_end_later(const Pattern& pattern, std::size_t failed, const MatchState& state,
                   const char* end) {
  for (const std::size_t text : pattern.texts()) {
    if (text >= failed) break;
    if (may_stand_behind(pattern.ops()[text], state.captures[pattern.ops()[text].capture].end,
                         end)) {
      return true;
    }
  }
  return false;
}

LaterEnds match_with_later_ends(const Pattern& pattern, std::size_t failed, const char* end,
                                const YearTable& years, MatchState& state) {
  return Tries(pattern, end, years, state).run(failed);
}

}  // namespace caravel::formatter
