// From the captures of one line to its CSV record: what RowWriter::put_column() writes
// (formatter/output), column by column, written straight to where the record belongs.
//
//     columns   Date      Time   Vehicle  Lat      …  Route    Direction  Stop
//     pieces    date      span   span     implied  …  text ",,,"
//
// Columns that are the same in each row of a kind are one piece with their neighbours.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "formatter/formats/format.h"
#include "formatter/output/row_writer.h"

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
  struct Short {
    std::array<char, 32> bytes = {};
    std::uint8_t size = 0;
  };
  struct Piece {
    enum class How : std::uint8_t { plain, textual, implied, date, text, option, other };
    How how = How::text;
    std::uint8_t whole = 0;     // of implied
    std::uint16_t capture = 0;  // the place of its slot in MatchState::captures, in bytes
    std::uint32_t first = 0;    // of texts_
    const ColumnRule* rule = nullptr;
  };

  void add(const ColumnRule& rule);
  void add_text(const std::string& text, bool as_piece);
  char* put_date(std::uint32_t packed, char* at);
  char* put_other(const ColumnRule& rule, const MatchState& match, char* at);

  RowWriter& writer_;
  std::vector<Piece> pieces_;         // of all kinds…
  std::vector<std::uint32_t> begin_;  // … of each kind, and behind the last
  std::vector<Short> texts_;          // each with the comma behind it
  std::uint32_t date_ = 0;
  Short date_text_;
};

}  // namespace caravel::formatter
