// From the captures of one line to its CSV record: what RowWriter::put_column() writes
// (formatter/output), column by column, written straight to where the record belongs.
//
//     columns   Date       Time       Vehicle    Lat        Lon  Valid          Adherence …
//     pieces    date ","   span ","   span ","   implied "," implied ",V,"      span ",V,,,"
//                                                                or ",I,"       or ",I,,,"
//
// A piece is a value and the text behind it, which is copied whole: commas, columns that are the
// same in each row of a kind, and the words that stand for an option.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "formatter/formats/format.h"
#include "formatter/output/row_writer.h"
#include "formatter/quick/program.h"

namespace caravel::formatter {

/// For one thread: it keeps the text of the last date.
class RecordText {
 public:
  /// Bytes that must be writable behind the record.
  static constexpr std::size_t kSlack = 64;

  /// `format` must outlive it, and so must `writer`, which writes what has no quick way.
  RecordText(const Format& format, RowWriter& writer);

  /// Writes the record and its LF at `at`; the place behind. There must be room for
  /// Kind::most_added bytes, for those of the line twice, and for kSlack. kReadableBehind bytes
  /// behind each capture must be readable.
  char* put(std::uint32_t kind, const MatchState& match, char* at);

 private:
  /// A text that is copied whole, whatever its size.
  struct alignas(16) Short {
    std::array<char, 16> bytes = {};
    std::uint32_t size = 0;
  };
  /// Of texts_: a comma alone, as most values have it.
  static constexpr std::uint32_t kComma = 0;
  struct Piece {
    enum class How : std::uint8_t { span, nothing, implied, date, other };
    How how = How::nothing;
    std::uint8_t whole = 0;   // of implied
    bool has_option = false;  // that says which text is behind the value
    // The places of their slots in MatchState::captures, in bytes.
    std::uint16_t capture = 0;
    std::uint16_t option = 0;
    std::uint32_t behind = 0;  // of texts_: the text behind it, or the first of them
    const ColumnRule* rule = nullptr;
  };

  void add(const ColumnRule& rule);
  /// Puts one of these texts behind the last piece; `option` is the slot that says which.
  void add_behind(const std::vector<std::string>& texts, std::uint8_t option);
  /// Of the last piece: the texts, one of which is behind it.
  [[nodiscard]] std::span<const Short> texts_behind(const Piece& last) const;
  char* put_date(std::uint32_t packed, char* at);
  /// A span that is not copied as it is.
  char* put_flagged(const Piece& piece, const MatchState& match, const Capture& capture, char* at);

  RowWriter& writer_;
  std::vector<Piece> pieces_;         // of all kinds…
  std::vector<std::uint32_t> begin_;  // … of each kind, and behind the last
  std::vector<Short> texts_;          // those of the last piece stand last
  std::uint32_t date_ = 0;
  Short date_text_;
};

}  // namespace caravel::formatter
