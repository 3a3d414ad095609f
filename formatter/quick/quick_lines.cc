#include "formatter/quick/quick_lines.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "base/bytes/sixteen_bytes.h"
#include "formatter/output/pieced_time.h"

namespace caravel::formatter {
namespace {

/// A longer line is left. Its record has room in an Output that has settled.
constexpr std::size_t kMostLine = 16 * 1024;
constexpr std::size_t kMostAdded = 16 * 1024;
static_assert(kMostAdded + 2 * kMostLine + RecordText::kSlack <= Output::kSlack);
/// After so many tries that took no line, there is none for so many lines.
constexpr unsigned kTries = 8;
constexpr unsigned kPause = 64;

/// Whether the bytes up to the LF are ASCII without NUL. Asked only where some in the buffer are
/// not.
bool is_plain_text(const char* line) {
  for (;; line += 16) {
    const SixteenBytes bytes(line);
    const std::uint32_t ends = bytes.equal('\n');
    const std::uint32_t others = bytes.not_ascii() | bytes.equal('\0');
    if (ends != 0) return (others & ((ends & (~ends + 1)) - 1)) == 0;
    if (others != 0) return false;
  }
}

}  // namespace

QuickLines::Way::Way(const Setting& setting, QuickProgram program)
    : matcher(setting.format, setting.years, std::move(program)),
      text(setting.format, setting.writer) {}

void QuickLines::open() {
  is_open_ = true;
  const Format& format = setting_.format;
  if (format.continues) return;
  const bool fits = std::all_of(format.kinds.begin(), format.kinds.end(),
                                [](const Kind& kind) { return kind.most_added <= kMostAdded; });
  auto program = QuickProgram::lower(format);
  if (!fits || !program) return;
  way_ = std::make_unique<Way>(setting_, std::move(*program));
}

bool QuickLines::take(LineSplitter& lines, Counts& counts, std::uint32_t& last_date) {
  if (pause_ > 0) {
    --pause_;
    return false;
  }
  const LineSplitter::Ahead ahead = lines.ahead();
  if (!is_open_) {
    if (static_cast<std::size_t>(ahead.end - ahead.begin) < setting_.quick_from) return false;
    open();
  }
  if (setting_.records == nullptr && !way_) return false;
  // The first line is looked at in more ways than others. Lines that the format skips count from
  // the beginning of the log.
  if (ahead.number == 1) return false;
  if (ahead.number <= setting_.format.csv.skip && setting_.log_offset == 0) return false;
  const Taken taken = setting_.records == nullptr ? take_lines(ahead, counts, last_date)
                                                  : take_records(ahead, counts, last_date);
  if (taken.lines == 0) {
    // Where no line is ordinary, each try costs as much as the line itself.
    if (++in_vain_ % kTries == 0) pause_ = kPause;
    return false;
  }
  in_vain_ = 0;
  counts.lines += taken.lines;
  lines.skip(taken.end, taken.lines);
  return true;
}

QuickLines::Taken QuickLines::take_lines(const LineSplitter::Ahead& ahead, Counts& counts,
                                         std::uint32_t& last_date) {
  LineMatcher& matcher = way_->matcher;
  const std::size_t most = std::min(setting_.max_line, kMostLine);
  const bool has_sidecar = setting_.writer.has_sidecar();
  Taken taken{ahead.begin, 0};
  while (taken.end < ahead.end && (ahead.plain || is_plain_text(taken.end))) {
    const char* const line = taken.end;
    const LineMatcher::Outcome outcome = matcher.match<SixteenBytes>(line);
    if (outcome != LineMatcher::Outcome::matched) [[unlikely]] {
      if (outcome == LineMatcher::Outcome::left) break;
      const std::size_t size = take_reject(line, place_of(ahead, taken));
      if (size == 0) break;
      ++counts.rejected;
      taken.end += size + 1;
      ++taken.lines;
      continue;
    }
    const auto size = static_cast<std::size_t>(matcher.end() - line);
    // The CR of a CR LF counts for the limit.
    if (size >= most) break;
    const Kind& kind = setting_.format.kinds[matcher.kind()];
    if (kind.looked_at && !look_at(kind, matcher.state(), last_date, reason_)) break;
    if (kind.keep) {
      char* const record = setting_.csv.room(Output::kSlack);
      char* const behind = way_->text.put(matcher.kind(), matcher.state(), record);
      setting_.csv.add_up_to(behind);
      setting_.csv.settle();
      ++counts.rows;
      if (has_sidecar) {
        setting_.writer.write_sidecar(kind, matcher.kind(), matcher.state(), {line, size},
                                      place_of(ahead, taken),
                                      static_cast<std::size_t>(behind - record) - 1);
      }
    } else {
      ++counts.dropped;
    }
    taken.end = matcher.end() + (*matcher.end() == '\r' ? 2 : 1);
    ++taken.lines;
  }
  return taken;
}

std::size_t QuickLines::take_reject(const char* line, const LinePlace& place) {
  const auto* const end = static_cast<const char*>(::rawmemchr(line, '\n'));
  const auto size = static_cast<std::size_t>(end - line);
  // The matcher has seen blanks and a CR at its end, which the reason must not depend on.
  if (end[-1] <= ' ' || size >= std::min(setting_.max_line, kMostLine)) return 0;
  // Lines that are rejected are mostly so for one reason.
  const Furthest& furthest = way_->matcher.furthest();
  if (furthest.op != told_.op || furthest.kind != told_.kind || furthest.wanted != told_.wanted ||
      told_.at == nullptr) {
    told_ = furthest;
    told_words_ = furthest.words(setting_.format);
  }
  reason_.assign(told_words_.first);
  reason_ += fmt::format_int(furthest.at - line).c_str();
  reason_ += told_words_.second;
  setting_.rejects.add(place.line, place.offset, reason_, {line, size});
  return size;
}

QuickLines::Taken QuickLines::take_records(const LineSplitter::Ahead& ahead, Counts& counts,
                                           std::uint32_t& last_date) {
  RecordReader& records = *setting_.records;
  const bool has_sidecar = setting_.writer.has_sidecar();
  Taken taken{ahead.begin, 0};
  while (taken.end < ahead.end && (ahead.plain || is_plain_text(taken.end))) {
    const std::string_view line = records.take_ahead(taken.end);
    if (line.empty() || line.size() >= setting_.max_line) break;
    if (has_sidecar) {
      setting_.writer.write_record(records.record(), records.time(), records.key(), line,
                                   place_of(ahead, taken));
    } else if (records.record().data() == line.data()) {
      setting_.csv.append_line(line);
    } else {
      setting_.csv.append(records.record());
      setting_.csv.append("\n");
      setting_.csv.settle();
    }
    if (records.date() != 0) last_date = records.date();
    const char* const end = line.data() + line.size();
    taken.end = end + (*end == '\r' ? 2 : 1);
    ++taken.lines;
  }
  counts.rows += taken.lines;
  return taken;
}

LinePlace QuickLines::place_of(const LineSplitter::Ahead& ahead, const Taken& taken) const {
  const auto offset = static_cast<std::uint64_t>(taken.end - ahead.begin) + ahead.offset;
  return {ahead.number + taken.lines, offset, setting_.log_offset + offset, 1};
}

}  // namespace caravel::formatter
