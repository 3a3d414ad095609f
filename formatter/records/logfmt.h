// One line of logfmt: key=value pairs with blanks between them, as Go's programs write them.
//
//     ts=2012-03-09T09:48:00Z level=info msg="door \"7\" open" n=3 err=
//
// There is no standard. What is read here is what go-logfmt and log/slog write, and no more:
//   key     bytes above the blank, without = and "
//   value   bytes above the blank, without "; or a string in quotes, with a backslash before what
//           needs one; or nothing
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "formatter/records/json_reader.h"

namespace caravel::formatter {

/// The pairs of `line` (valid UTF-8) in its order, as members of an object; a key may be there
/// twice. A bare value that reads as a number, `true` or `false` is that; every other one is a
/// string, and a key without a value is an empty cell. Errors (kind content) are reasons for a
/// reject: a word without =, a string without end, more than `most_members`. A word without = is no
/// key of its own here, as some readers have it: then any sentence would be a row.
[[nodiscard]] Result<std::vector<JsonMember>> read_logfmt(std::string_view line,
                                                          std::size_t most_members);

/// One extract's reader: as for JSON lines, but for what a line looks like.
class LogfmtReader : public MemberReader {
 public:
  LogfmtReader(const Format& format, const YearTable& years) : MemberReader(format, years) {}

  Outcome take(std::string_view record) override {
    return take_members(read_logfmt(record, kMaxColumns));
  }
};

}  // namespace caravel::formatter
