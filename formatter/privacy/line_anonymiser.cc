#include "formatter/privacy/line_anonymiser.h"

#include <algorithm>
#include <utility>

#include <simdjson.h>

#include "formatter/output/pieced_time.h"
#include "formatter/patterns/capture_types.h"
#include "formatter/privacy/removed.h"
#include "formatter/privacy/values.h"
#include "formatter/rows/row_time.h"

namespace caravel::formatter {
namespace {

/// The day of a row as its id has it, YYYYMMDD.
void append_day(const TimeRule& rule, const MatchState& match, std::string& out) {
  const Capture& date = match.captures[rule.date];
  switch (rule.source) {
    case TimeRule::Source::none:
      break;
    case TimeRule::Source::date_time: {
      int minutes = 0;
      if (rule.offset) (void)parse_offset(match.captures[*rule.offset].begin, minutes);
      append_zoned_time(date.number, match.captures[rule.time].text(), minutes, out);
      break;
    }
    case TimeRule::Source::timestamp:
      if ((date.number & kOtherIsoForm) == 0) {
        append_timestamp(date.text(), out);
        break;
      }
      [[fallthrough]];
    case TimeRule::Source::pieces:
      // Of a time that clocks skipped there is no day, and the line will be a reject.
      (void)append_parts(parts_of(rule, match), rule.zone, out);
      break;
    case TimeRule::Source::epoch_seconds:
      append_epoch(date.text(), false, out);
      break;
    case TimeRule::Source::epoch_milliseconds:
      append_epoch(date.text(), true, out);
      break;
  }
  out.resize(std::min(out.size(), out.find('T')));
}

std::string hour_of(const Op& op, std::string_view value) {
  if (op.type == CaptureType::time) return hour_of_clock(value);
  if (op.type == CaptureType::timestamp) return hour_of_timestamp(value);
  return hour_of_epoch(value, op.arg != 0);
}

/// An address type takes nothing but addresses.
std::string dropped(const Op& op, std::string_view value) {
  if (value.empty()) return "";
  if (op.type != CaptureType::ip) return "-";
  return value.find(':') != std::string_view::npos ? "::" : "0.0.0.0";
}

}  // namespace

Result<std::string_view> LineAnonymiser::rewrite(Line& line) {
  const std::string_view text = line.text();
  if (line.oversized) {
    // As many bytes, so that it is too long again for whoever reads it; never UTF-8, so that it is
    // a reject also where the limit is another one.
    out_.assign(text.size(), '\xff');
    if (line.last_piece) ++removed_;
    return out_;
  }
  const std::string_view trimmed = trim_line(text);
  if (trimmed.empty()) return text;
  if (is_removed_line(format_, text)) return text;
  // It may be cut in the middle of a value, which then looks like another one.
  if (!line.terminated && !accept_unterminated_) return remove("", text.size());
  if (!line.ascii && !simdjson::validate_utf8(trimmed.data(), trimmed.size())) {
    return remove(kNotUtf8, text.size());
  }
  if (trimmed.find('\0') != std::string_view::npos) return remove(kHoldsNul, text.size());
  // The parsers stop at a LF. The byte behind the trimmed line is ours to borrow, see LineSplitter.
  char* const end = line.begin + (trimmed.data() - line.begin) + trimmed.size();
  const char borrowed = std::exchange(*end, '\n');
  const auto index = matcher_.match(trimmed.data(), end);
  Result<std::string_view> written =
      index ? rewrite_kind(format_.kinds[*index], *index,
                           text.substr(0, static_cast<std::size_t>(end - line.begin)))
            : rewrite_unmatched(text, trimmed, matcher_.reason(line.begin));
  *end = borrowed;
  if (!written) return written;
  // Nothing was to be done: the line keeps what stands behind it, too.
  if (written->data() == line.begin) return text;
  if (out_.size() < text.size()) out_.resize(text.size(), ' ');
  return out_;
}

Result<std::string_view> LineAnonymiser::rewrite_kind(const Kind& kind, std::uint32_t index,
                                                      std::string_view text) {
  out_.clear();
  day_.clear();
  no_salt_ = false;
  const char* from = text.data();
  for (const PrivacyAct& act : kind.privacy) {
    const Capture& capture = matcher_.state().captures[act.capture];
    out_.append(from, capture.begin);
    CARAVEL_TRY(append_value(kind, act, out_));
    from = capture.end;
  }
  // A time that no clock has shown has no day; the line makes no row.
  if (no_salt_ && day_.empty()) return remove(kNotRewritable, text.size());
  if (no_salt_) {
    ++forgotten_;
    if (forgotten_day_.empty()) forgotten_day_ = day_;
    return remove(kSaltForgotten, text.size());
  }
  out_.append(from, text.data() + text.size());
  if (out_ == text) return text;
  // A value that was written may, in this place, read as something else. Nobody may take that for
  // what the line said.
  if (!is_as_written(kind, index)) return remove(kNotRewritable, text.size());
  return out_;
}

Result<> LineAnonymiser::append_value(const Kind& kind, const PrivacyAct& act, std::string& out) {
  const std::string_view value = matcher_.state().captures[act.capture].text();
  const Op& op = kind.pattern.op_of(act.capture);
  switch (act.rule) {
    case PrivacyRule::truncate:
      out += truncated_address(value);
      break;
    case PrivacyRule::drop:
      out += dropped(op, value);
      break;
    case PrivacyRule::hour:
      out += hour_of(op, value);
      break;
    case PrivacyRule::query:
      out += without_query(value);
      break;
    case PrivacyRule::agent:
      out += agent_family(value);
      break;
    case PrivacyRule::hash: {
      if (value.empty() || value == "-" || is_hashed_value(keys_.mark, value)) {
        out += value;
        break;
      }
      if (day_.empty()) append_day(kind.time, matcher_.state(), day_);
      CARAVEL_ASSIGN_OR_RETURN(const auto key, keys_.key_of_day(day_));
      no_salt_ = no_salt_ || !key;
      if (key) {
        out +=
            hashed_value(*key, keys_.mark, format_.name, kind.pattern.names()[act.capture], value);
      }
      break;
    }
  }
  return {};
}

std::string_view LineAnonymiser::rewrite_unmatched(std::string_view text, std::string_view trimmed,
                                                   const std::string& reason) {
  if (!format_.privacy->scrub) return remove(reason, text.size());
  // Leading blanks stay: the reason counts from the line's first byte.
  std::string line(text.data(), trimmed.data());
  line += scrubbed(trimmed);
  // Without what was taken out, it may be a line of the format: one that nobody wrote.
  if (matches(line)) return remove(reason, text.size());
  out_ = std::move(line);
  return out_;
}

bool LineAnonymiser::matches(std::string_view line) {
  const std::string_view trimmed = trim_line(line);
  if (trimmed.empty()) return false;
  scratch_.assign(trimmed);
  scratch_.append(kReadableBehind + 1, '\n');
  const auto index = again_.match(scratch_.data(), scratch_.data() + trimmed.size());
  again_kind_ = index.value_or(0);
  return index.has_value();
}

bool LineAnonymiser::is_as_written(const Kind& kind, std::uint32_t index) {
  if (!matches(out_) || again_kind_ != index) return false;
  // Each value begins and ends where it was written. What stands between them is as it was.
  const std::size_t count = kind.pattern.names().size();
  std::size_t act = 0;
  for (std::size_t slot = 0; slot < count; ++slot) {
    const std::string_view before = matcher_.state().captures[slot].text();
    const std::string_view now = again_.state().captures[slot].text();
    const bool changed = act < kind.privacy.size() && kind.privacy[act].capture == slot;
    if (changed) {
      ++act;
      continue;
    }
    if (before != now) return false;
  }
  return true;
}

std::string_view LineAnonymiser::remove(std::string_view reason, std::size_t length) {
  ++removed_;
  out_ = removed_line(reason, length);
  return out_;
}

}  // namespace caravel::formatter
