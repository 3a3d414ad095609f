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

/// The same between quotes; nullptr if a quote in it must be doubled.
char* put_quoted(const Capture& capture, char* at) {
  *at++ = '"';
  const char* from = capture.begin;
  for (std::ptrdiff_t left = capture.end - from; left > 0; left -= 16, from += 16) {
    const SixteenBytes bytes(from);
    std::uint32_t quotes = bytes.equal('"');
    if (left < 16) quotes &= (std::uint32_t{1} << left) - 1;
    if (quotes != 0) return nullptr;
    bytes.store(at);
    at += std::min<std::ptrdiff_t>(left, 16);
  }
  *at++ = '"';
  return at;
}

}  // namespace

RecordText::RecordText(const Format& format, RowWriter& writer) : writer_(writer) {
  for (const Kind& kind : format.kinds) {
    begin_.push_back(static_cast<std::uint32_t>(pieces_.size()));
    for (const ColumnRule& rule : kind.columns) add(rule);
  }
  begin_.push_back(static_cast<std::uint32_t>(pieces_.size()));
}

void RecordText::add_text(const std::string& text, bool as_piece) {
  // Behind a piece that is copied whole already, as long as both are short.
  if (as_piece && pieces_.size() > begin_.back() && pieces_.back().how == Piece::How::text) {
    Short& before = texts_[pieces_.back().first];
    if (before.size + text.size() <= before.bytes.size()) {
      text.copy(before.bytes.data() + before.size, text.size());
      before.size = static_cast<std::uint8_t>(before.size + text.size());
      return;
    }
  }
  Short made;
  made.size = static_cast<std::uint8_t>(text.copy(made.bytes.data(), made.bytes.size()));
  if (as_piece) {
    pieces_.emplace_back();
    pieces_.back().first = static_cast<std::uint32_t>(texts_.size());
  }
  texts_.push_back(made);
}

void RecordText::add(const ColumnRule& rule) {
  using How = Piece::How;
  constexpr std::size_t kMostShort = std::tuple_size_v<decltype(Short::bytes)> - 1;
  Piece piece;
  piece.capture = static_cast<std::uint16_t>(rule.capture * sizeof(Capture));
  piece.whole = rule.digits;
  piece.rule = &rule;
  piece.how = How::other;
  switch (rule.emit) {
    case Emit::nothing:
      add_text(",", true);
      return;
    case Emit::constant:
      if (rule.constant.size() > kMostShort) break;
      add_text(rule.constant + ",", true);
      return;
    case Emit::plain:
      piece.how = How::plain;
      break;
    case Emit::textual:
      piece.how = How::textual;
      break;
    case Emit::implied:
      // Sixteen bytes hold a minus, and all ahead of the point.
      if (rule.digits < 16) piece.how = How::implied;
      break;
    case Emit::iso_date:
      piece.how = How::date;
      break;
    case Emit::option:
      if (std::any_of(rule.values.begin(), rule.values.end(),
                      [](const std::string& value) { return value.size() > kMostShort; })) {
        break;
      }
      piece.how = How::option;
      piece.first = static_cast<std::uint32_t>(texts_.size());
      for (const std::string& value : rule.values) add_text(value + ",", false);
      break;
    case Emit::lower_case:
    case Emit::iso_time:
      break;
  }
  pieces_.push_back(piece);
}

char* RecordText::put_date(std::uint32_t packed, char* at) {
  // Most lines of a log have the date of the line before.
  if (packed != date_) {
    const std::string_view text = writer_.iso_date(packed);
    std::copy(text.begin(), text.end(), date_text_.bytes.begin());
    date_text_.bytes[text.size()] = ',';
    date_text_.size = static_cast<std::uint8_t>(text.size() + 1);
    date_ = packed;
  }
  std::memcpy(at, date_text_.bytes.data(), 16);
  return at + date_text_.size;
}

char* RecordText::put_other(const ColumnRule& rule, const MatchState& match, char* at) {
  at = writer_.put_column(rule, match, at);
  *at++ = ',';
  return at;
}

char* RecordText::put(std::uint32_t kind, const MatchState& match, char* at) {
  using How = Piece::How;
  const auto* const captures = reinterpret_cast<const char*>(match.captures.data());
  const Piece* const end = pieces_.data() + begin_[kind + 1];
  for (const Piece* next = pieces_.data() + begin_[kind]; next != end; ++next) {
    const Piece& piece = *next;
    const auto& capture = *reinterpret_cast<const Capture*>(captures + piece.capture);
    switch (piece.how) {
      case How::textual:
        if (capture.number != 0) {
          char* const behind = capture.number == kNeedsQuotes ? put_quoted(capture, at) : nullptr;
          if (behind == nullptr) {
            at = put_other(*piece.rule, match, at);
            break;
          }
          at = behind;
          *at++ = ',';
          break;
        }
        [[fallthrough]];
      case How::plain:
        at = put_span(capture.begin, capture.end, at);
        *at++ = ',';
        break;
      case How::implied: {
        // The minus is not one of the digits that are counted.
        const std::ptrdiff_t whole = piece.whole + (*capture.begin == '-' ? 1 : 0);
        SixteenBytes(capture.begin).store(at);
        at[whole] = '.';
        at = put_span(capture.begin + whole, capture.end, at + whole + 1);
        *at++ = ',';
        break;
      }
      case How::date:
        at = put_date(capture.number, at);
        break;
      case How::text:
      case How::option: {
        const Short& text = texts_[piece.first + (piece.how == How::option ? capture.number : 0)];
        std::memcpy(at, text.bytes.data(), text.bytes.size());
        at += text.size;
        break;
      }
      case How::other:
        at = put_other(*piece.rule, match, at);
        break;
      default:
        __builtin_unreachable();
    }
  }
  at[-1] = '\n';  // the last comma
  return at;
}

}  // namespace caravel::formatter
