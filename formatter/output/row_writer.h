// From the captures of one matched line to a CSV record and a sidecar line.
#pragma once

#include <chrono>
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
};

/// Writes rows; keeps what it computed for the line before, since dates repeat.
class RowWriter {
 public:
  /// `sidecar` may discard: then no ids are computed.
  RowWriter(const Format& format, Output& csv, Output& sidecar)
      : format_(format), csv_(csv), sidecar_(sidecar) {}

  void set_first_line(const Hash128& hash) { first_line_ = hash; }

  void write(const Kind& kind, std::uint32_t kind_index, const MatchState& match,
             std::string_view line, const LinePlace& place);

  /// For readers that make records themselves (csv, jsonl): `record` is ready CSV; `time` the value
  /// of the format's time column (may be empty: then the place stands for it).
  void write_record(std::string_view record, std::string_view time, std::string_view key,
                    std::string_view line, const LinePlace& place);

  /// The least and the greatest time of a row so far, as it stands in the ids; "" before the first.
  [[nodiscard]] const std::string& first_time() const { return first_time_; }
  [[nodiscard]] const std::string& last_time() const { return last_time_; }

 private:
  char* put_column(const ColumnRule& rule, const MatchState& match, char* at);
  std::string_view iso_date(std::uint32_t packed);
  void append_time(const TimeRule& rule, const MatchState& match, const LinePlace& place);
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
  std::string first_time_;
  std::string last_time_;
};

/// Undoubles the quotes of a captured CSV field into `scratch`, if it has any.
[[nodiscard]] std::string_view undouble_quotes(const Capture& capture, std::string& scratch);

/// An ISO 8601 timestamp in the form of the ids: UTC if it has a zone, else local as it is.
void append_timestamp(std::string_view timestamp, std::string& out);

/// Seconds (or milliseconds) since 1970, perhaps with a fraction, in the form of the ids.
void append_epoch(std::string_view text, bool milliseconds, std::string& out);

}  // namespace caravel::formatter
