// A line that became a row, taken apart once more for people: which kind, which captures, which
// values.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formatter/formats/format.h"
#include "formatter/formatter.h"
#include "formatter/input/line_text.h"
#include "formatter/output/output.h"
#include "formatter/output/row_writer.h"

namespace caravel::formatter {

/// Holds a copy of one line with what may be read behind it. For one run.
class RowValues {
 public:
  explicit RowValues(const YearTable& years) : years_(years) {}

  /// Looks at a line. Kinds of `reader: pattern` are tried; of the other readers the record that
  /// the run made is taken.
  void look_at(const SeenLine& seen);

  /// The line without blanks at its ends, as UTF-8, and of a record all lines; captures point into
  /// it.
  [[nodiscard]] std::string_view trimmed() const { return trimmed_; }
  /// How many bytes of blanks the reasons of rejects count before it.
  [[nodiscard]] std::size_t ahead() const { return ahead_; }
  /// The kind that takes it; nullptr if there is none.
  [[nodiscard]] const Kind* kind() const { return kind_; }
  [[nodiscard]] std::size_t kind_index() const { return kind_index_; }
  [[nodiscard]] const MatchState& state() const { return *state_; }
  /// The values of the row as its CSV record has them, in the order of the columns. Of a line that
  /// is no row: nothing.
  [[nodiscard]] const std::vector<std::string>& values() const { return values_; }

 private:
  void take_text(const SeenLine& seen);
  [[nodiscard]] bool matches(const Kind& kind);
  void split_record(std::string_view record);

  const YearTable& years_;
  std::unique_ptr<MatchState> state_ = std::make_unique<MatchState>();
  std::optional<LineText> decoding_;
  std::string joined_;
  std::string text_;
  std::string_view trimmed_;
  std::size_t ahead_ = 0;
  const Kind* kind_ = nullptr;
  std::size_t kind_index_ = 0;
  std::vector<std::string> values_;
  // What writes a row writes it here too: its values are what they would be in the CSV.
  Output csv_{-1};
  Output sidecar_{-1};
  std::unique_ptr<RowWriter> writer_;
};

}  // namespace caravel::formatter
