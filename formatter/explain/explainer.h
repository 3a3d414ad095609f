// `caravel format --explain`: what the format makes of each line, and why.
//
//     line 4: reject: expected "opened" at byte 33 (opened)
//       2024-02-29 07:58:12.500  door 17 jammed
//                                        ^ opened wants "opened", finds "jammed"
//                                        ^ closed wants "closed", finds "jammed"
//                                ^ heartbeat wants "heartbeat", finds "door"
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "formatter/explain/row_values.h"
#include "formatter/explain/styled_text.h"
#include "formatter/formatter.h"

namespace caravel::formatter {

class CsvReader;

/// Explains the lines of one run. What became of a line is what the run says (SeenLine); only the
/// details, which the run does not keep, are found out here once more. Memory: a line.
class Explainer {
 public:
  /// `years` are those of the run and must outlive the explainer. Rows of the explanation take at
  /// most `width` columns; less than 60 count as 60.
  Explainer(const YearTable& years, std::size_t width);

  /// The reason of the reject that the next line, or piece of one, will be seen as.
  void note_reject(std::string_view reason) { reason_ = reason; }

  /// Appends the explanation of a line to `out`; nothing while it is not known.
  void explain(const SeenLine& seen, StyledText& out);

 private:
  void explain_row(const SeenLine& seen, StyledText& out);
  void explain_dropped(const SeenLine& seen, StyledText& out);
  void explain_reject(const SeenLine& seen, StyledText& out);
  /// The line that begins each explanation: "line 4: opened".
  void begin(const SeenLine& seen, Style style, std::string_view what, StyledText& out) const;
  /// Values with the names of their columns below, and which columns have none.
  void append_fields(const std::vector<std::string>& names, const std::vector<std::string>& fields,
                     StyledText& out) const;
  /// The fields of a CSV record that is a reject, in the order of the file; false if it has none.
  [[nodiscard]] bool append_csv(const CsvReader& reader, std::string_view record,
                                StyledText& out) const;
  /// An object's members, or where it stops to be JSON.
  void append_json(std::string_view trimmed, StyledText& out) const;
  /// The beginning of a line of which no part is at fault.
  void append_excerpt(std::string_view line, StyledText& out) const;

  const YearTable& years_;
  std::size_t width_;
  std::string reason_;
  RowValues values_;
};

}  // namespace caravel::formatter
