// From the captures of one matched line to a CSV record and a sidecar line.
//
//     09:48:00 03/09 V.1.2683 … Lat/Lon:367751738166/…      the line, with its captures
//        │
//        ├─ write(): a ColumnRule a column says which capture is written and how (Emit)
//        │      2012-03-09,09:48:00,V.1.2683,36.7751738166,…      -> the CSV
//        │
//        └─ append_time(), key_of(), the line's digest: the row's id without its feed
//               17 1934 0 61 20120309T094800:V.1.2683:6f4d…       -> the sidecar
//               line offset kind length id tail
//
// A record is put together in `record_`, which is made large enough for any record of the line at
// once, so that nothing has to be checked or to grow while its columns are copied. `csv` and
// `jsonl` lines come as finished records (write_record).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "formatter/formats/format.h"
#include "formatter/output/output.h"
#include "formatter/rows/row_id.h"

namespace caravel::formatter {

/// Where a line stands: in the extract, and for `identity: position` in its log.
struct LinePlace {
  std::uint64_t line = 0;        // from 1
  std::uint64_t offset = 0;      // in the unpacked extract
  std::uint64_t log_offset = 0;  // in the unpacked log
  std::uint64_t lines = 1;       // more than one: a record that spans lines
};

/// Writes the rows of one extract to two Outputs, which must outlive it, as must the format. Keeps
/// the last date's text, since dates repeat. An error of the outputs comes from their flush(). For
/// one thread.
class RowWriter {
 public:
  /// `sidecar` may discard: then no ids are computed.
  RowWriter(const Format& format, Output& csv, Output& sidecar)
      : format_(format), csv_(csv), sidecar_(sidecar) {}

  /// The hash of the log's first line: for ids that are made of a line's place. Before the first
  /// row.
  void set_first_line(const Hash128& hash) { first_line_ = hash; }

  /// A line that matched `kind`, number `kind_index` of the format. `line` is the trimmed line,
  /// with kReadableBehind behind it.
  void write(const Kind& kind, std::uint32_t kind_index, const MatchState& match,
             std::string_view line, const LinePlace& place);

  /// The sidecar's part of write(): the CSV has a record of `length` bytes already.
  void write_sidecar(const Kind& kind, std::uint32_t kind_index, const MatchState& match,
                     std::string_view line, const LinePlace& place, std::size_t length);
  /// Whether there is a sidecar.
  [[nodiscard]] bool has_sidecar() const { return !sidecar_.discards(); }

  /// Writes one column at `at`; the place behind it.
  char* put_column(const ColumnRule& rule, const MatchState& match, char* at);
  /// YYYY-MM-DD; valid until it is asked for another date.
  std::string_view iso_date(std::uint32_t packed);

  /// For readers that make records themselves (csv, jsonl): `record` is ready CSV; `time` the value
  /// of the format's time column (may be empty: then the place stands for it).
  void write_record(std::string_view record, std::string_view time, std::string_view key,
                    std::string_view line, const LinePlace& place);

  /// The least and the greatest time of a row so far, as it stands in the ids; "" before the first.
  [[nodiscard]] const std::string& first_time() const { return first_time_; }
  [[nodiscard]] const std::string& last_time() const { return last_time_; }

 private:
  /// The row's time, or what stands for it, to id_.
  void append_time(const TimeRule& rule, const MatchState& match, const LinePlace& place);
  /// The key as ids have it: unquoted, and where its column is in lower case, so too.
  std::string_view key_of(const Kind& kind, const MatchState& match);
  /// Key and digest, behind the time.
  void finish_id(std::string_view key, std::string_view line, const LinePlace& place);
  void note_time(std::string_view time);

  const Format& format_;
  Output& csv_;
  Output& sidecar_;
  Hash128 first_line_;
  std::string record_;  // its size is only ever what a record may need
  std::string id_;      // the id tail under construction
  std::string scratch_;
  std::string scratch_csv_;
  std::uint32_t date_ = 0;
  char date_text_[16] = {};  // as long as put_part() reads
  std::string noted_time_;
  std::string first_time_;
  std::string last_time_;
};

}  // namespace caravel::formatter
