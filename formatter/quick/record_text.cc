#include "formatter/quick/record_text.h"

#include <algorithm>
#include <cstring>

#include "base/bytes/sixteen_bytes.h"

namespace caravel::formatter {
namespace {

/// Copies sixteen bytes at a time, and so up to fifteen too many.
[[gnu::always_inline]] inline char* put_span(const char* from, const char* end, char* at) {
  char* const behind = at + (end - from);
  SixteenBytes(from).store(at);
  while ((at += 16) < behind) {
    from += 16;
    SixteenBytes(from).store(at);
  }
  return behind;
}

}  // namespace

RecordText::RecordText(const Format& format, RowWriter& writer) : writer_(writer), texts_(1) {
  texts_[kComma] = {{','}, 1};
  for (const Kind& kind : format.kinds) {
    begin_.push_back(static_cast<std::uint32_t>(pieces_.size()));
    for (const ColumnRule& rule : kind.columns) add(rule);
  }
  begin_.push_back(static_cast<std::uint32_t>(pieces_.size()));
}

std::span<const RecordText::Short> RecordText::texts_behind(const Piece& last) const {
  const std::span<const Short> all(texts_);
  return last.behind == kComma ? all.subspan(kComma, 1) : all.subspan(last.behind);
}

void RecordText::add_behind(const std::vector<std::string>& texts, std::uint8_t option) {
  constexpr std::size_t kMostShort = std::tuple_size_v<decltype(Short::bytes)>;
  const bool has_option = texts.size() > 1;
  // Each text that is there already gets each of the new ones; of two options they would be many.
  const bool fits = [&] {
    if (pieces_.size() == begin_.back()) return false;
    const Piece& last = pieces_.back();
    if (has_option && last.has_option) return false;
    const auto there = texts_behind(last);
    return std::all_of(there.begin(), there.end(), [&](const Short& before) {
      return std::all_of(texts.begin(), texts.end(), [&](const std::string& text) {
        return before.size + text.size() <= kMostShort;
      });
    });
  }();
  if (!fits) {
    pieces_.emplace_back();
    pieces_.back().behind = static_cast<std::uint32_t>(texts_.size());
    texts_.emplace_back();
  }
  Piece& piece = pieces_.back();
  const auto there = texts_behind(piece);
  const std::vector<Short> before(there.begin(), there.end());
  if (piece.behind == kComma) piece.behind = static_cast<std::uint32_t>(texts_.size());
  texts_.resize(piece.behind);
  for (const Short& first : before) {
    for (const std::string& text : texts) {
      Short& made = texts_.emplace_back(first);
      text.copy(made.bytes.data() + made.size, text.size());
      made.size += static_cast<std::uint32_t>(text.size());
    }
  }
  if (!has_option) return;
  piece.option = static_cast<std::uint16_t>(option * sizeof(Capture));
  piece.has_option = true;
}

void RecordText::add(const ColumnRule& rule) {
  using How = Piece::How;
  // A text and its comma.
  constexpr std::size_t kMostShort = std::tuple_size_v<decltype(Short::bytes)> - 1;
  const auto is_short = [](const std::string& text) { return text.size() <= kMostShort; };
  How how = How::other;
  switch (rule.emit) {
    case Emit::nothing:
      return add_behind({","}, 0);
    case Emit::constant:
      if (!is_short(rule.constant)) break;
      return add_behind({rule.constant + ","}, 0);
    case Emit::option: {
      if (!std::all_of(rule.values.begin(), rule.values.end(), is_short)) break;
      std::vector<std::string> texts;
      for (const std::string& value : rule.values) texts.push_back(value + ",");
      return add_behind(texts, rule.capture);
    }
    case Emit::plain:
    case Emit::textual:
      how = How::span;
      break;
    case Emit::implied:
      // Sixteen bytes hold a minus, and all ahead of the point.
      if (rule.digits < 16) how = How::implied;
      break;
    case Emit::iso_date:
      how = How::date;
      break;
    case Emit::lower_case:
    case Emit::iso_time:
      break;
  }
  Piece piece;
  piece.how = how;
  piece.whole = rule.digits;
  piece.capture = static_cast<std::uint16_t>(rule.capture * sizeof(Capture));
  piece.rule = &rule;
  piece.behind = kComma;
  pieces_.push_back(piece);
}

char* RecordText::put_date(std::uint32_t packed, char* at) {
  // Most lines of a log have the date of the line before.
  if (packed != date_) {
    const std::string_view text = writer_.iso_date(packed);
    std::copy(text.begin(), text.end(), date_text_.bytes.begin());
    date_text_.size = static_cast<std::uint32_t>(text.size());
    date_ = packed;
  }
  SixteenBytes(date_text_.bytes.data()).store(at);
  return at + date_text_.size;
}

char* RecordText::put_flagged(const Piece& piece, const MatchState& match, const Capture& capture,
                              char* at) {
  if (capture.number != kQuotesAround) return writer_.put_column(*piece.rule, match, at);
  *at = '"';
  at = put_span(capture.begin, capture.end, at + 1);
  *at = '"';
  return at + 1;
}

char* RecordText::put(std::uint32_t kind, const MatchState& match, char* at) {
  using How = Piece::How;
  const auto* const captures = reinterpret_cast<const char*>(match.captures.data());
  const auto slot = [captures](std::uint16_t place) -> const Capture& {
    return *reinterpret_cast<const Capture*>(captures + place);
  };
  const Short* const texts = texts_.data();
  const Piece* const end = pieces_.data() + begin_[kind + 1];
  for (const Piece* next = pieces_.data() + begin_[kind]; next != end; ++next) {
    const Piece& piece = *next;
    const Capture& capture = slot(piece.capture);
    if (piece.how == How::span) [[likely]] {
      at = capture.number == 0 ? put_span(capture.begin, capture.end, at)
                               : put_flagged(piece, match, capture, at);
    } else if (piece.how == How::implied) {
      // The minus is not one of the digits that are counted.
      const std::ptrdiff_t whole = piece.whole + (*capture.begin == '-' ? 1 : 0);
      SixteenBytes(capture.begin).store(at);
      at[whole] = '.';
      at = put_span(capture.begin + whole, capture.end, at + whole + 1);
    } else if (piece.how == How::date) {
      at = put_date(capture.number, at);
    } else if (piece.how == How::other) {
      at = writer_.put_column(*piece.rule, match, at);
    }
    if (piece.behind == kComma) {
      *at++ = ',';
      continue;
    }
    const Short* behind = texts + piece.behind;
    if (piece.has_option) behind += slot(piece.option).number;
    SixteenBytes(behind->bytes.data()).store(at);
    at += behind->size;
  }
  at[-1] = '\n';  // the last comma
  return at;
}

}  // namespace caravel::formatter
