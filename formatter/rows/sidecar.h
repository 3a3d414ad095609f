// The hand-over from formatter to uploader: a CSV file, and beside it a sidecar that says of each
// record what the CSV has no column for. docs/sidecar.md is the page of this format.
//
//   caravel-sidecar 1
//   {"format":"spysocket","columns":[{"name":"Date","type":"text"},…],"kinds":["location",…]}
//   <line>[+<more>] <offset> <kind> <length> <id tail>   one a record, single blanks, decimal
//   end {"sha256":"…","lines":281,"rows":251,"dropped":30,"rejected":0}
//
// format_extract() writes both files in one pass; the uploader reads them side by side:
//
//   CSV      Date,Time,Vehicle,…⏎ 2012-03-09,09:48:00,V.1.2683,…⏎ 2012-03-09,09:48:02,…⏎
//            └ the names of the    └ length bytes ┘                 └ length bytes ┘
//              header, as CSV             │                                │
//   sidecar  magic, header        line offset kind length id        line offset kind length id end
//                                         └──────────── RowReader::next: one Row ────────────┘
//
// `length` is the record's bytes in the CSV without its line end, so that the uploader never
// searches for the end of a record. `more` is how many lines the record takes beside its first one,
// if it takes any. The id tail is the row id without "<feed>:". A sidecar without
// its end line is not whole and nothing of it may be uploaded.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"
#include "formatter/rows/counts.h"

namespace caravel::formatter {

struct SidecarHeader {
  std::string format;
  std::vector<Column> columns;
  std::vector<std::string> kinds;
};

struct SidecarEnd {
  std::string sha256;  // of the extract as it came, 64 hex digits
  Counts counts;
};

/// The first two lines.
[[nodiscard]] std::string sidecar_header_text(const SidecarHeader& header);
/// The last line.
[[nodiscard]] std::string sidecar_end_text(const SidecarEnd& end);
[[nodiscard]] Result<SidecarHeader> parse_sidecar_header(std::string_view json);
[[nodiscard]] Result<SidecarEnd> parse_sidecar_end(std::string_view json);

/// Writes one record's line at `at`, where there is room for kMostSidecarNumbers bytes beside the
/// tail; the place behind it. `lines` is how many lines of the extract it takes.
char* put_sidecar_row(std::uint64_t line, std::uint64_t offset, std::uint32_t kind,
                      std::uint64_t length, std::string_view id_tail, char* at,
                      std::uint64_t lines = 1);
/// Five numbers of at most 20 digits with one byte each, and the LF.
inline constexpr std::size_t kMostSidecarNumbers = 112;
/// The same behind what `out` holds.
void append_sidecar_row(std::uint64_t line, std::uint64_t offset, std::uint32_t kind,
                        std::uint64_t length, std::string_view id_tail, std::string& out,
                        std::uint64_t lines = 1);

/// One row as it is read back. The views are valid until the next call of next().
struct Row {
  std::uint64_t line = 0;    // its first, from 1, in the unpacked extract
  std::uint64_t lines = 1;   // that it takes
  std::uint64_t offset = 0;  // from 0, in the unpacked extract
  std::uint32_t kind = 0;    // index into SidecarHeader::kinds
  std::string_view id_tail;  // "<time>:<key>:<digest>"
  std::string_view record;   // the CSV record, without its line end
};

/// Reads CSV and sidecar side by side, in constant memory.
class RowReader {
 public:
  /// Both descriptors at offset 0. Reads the header and, from its end, checks that the sidecar is
  /// whole. Errors: kind retry (they are our own files: format the extract again).
  static Result<RowReader> open(UniqueFd csv, UniqueFd sidecar);
  /// The same of a small extract, whose CSV and sidecar are held in memory and no files.
  static Result<RowReader> open(std::string csv, std::string sidecar);

  [[nodiscard]] const SidecarHeader& header() const { return header_; }
  [[nodiscard]] const SidecarEnd& end() const { return end_; }

  /// The next row; false after the last, and from then on. At the end the rows must be as many as
  /// the end line says, and the CSV must hold nothing else.
  [[nodiscard]] Result<bool> next(Row& row);

  /// The CSV file, for pread(2): the attachment of the feed document. -1 if there is none.
  [[nodiscard]] int csv_fd() const { return csv_.get(); }
  [[nodiscard]] std::uint64_t csv_bytes() const { return csv_bytes_; }

 private:
  /// A window over a file that moves forward only.
  struct Window {
    UniqueFd fd;
    std::string buffer;
    std::size_t from = 0;
    std::size_t until = 0;
    /// Makes at least `size` bytes visible from `from`; false at the end of the file.
    Result<bool> need(std::size_t size);
    /// The next line without its end; false at the end of the file.
    Result<bool> line(std::string_view& out);
  };

  RowReader() = default;
  Result<> read_headers();

  SidecarHeader header_;
  SidecarEnd end_;
  UniqueFd csv_;
  std::uint64_t csv_bytes_ = 0;
  Window records_;
  Window rows_;
  std::uint64_t seen_ = 0;    // rows
  std::uint64_t lines_ = 0;   // that these take
  std::uint64_t csv_at_ = 0;  // of the CSV, given out
  bool ended_ = false;
};

}  // namespace caravel::formatter
