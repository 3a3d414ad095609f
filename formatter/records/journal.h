// An entry in the Journal Export Format of systemd, as `journalctl -o export` writes it.
//
//     __CURSOR=s=20e8;i=1⏎                  a field whose value is text
//     MESSAGE⏎<11 in eight bytes>two⏎lines!⏎  one of any bytes, behind their number (little endian)
//     _PID=77⏎
//     ⏎                                     an empty line ends the entry
//
// Source: https://systemd.io/JOURNAL_EXPORT_FORMATS/
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "formatter/records/json_reader.h"

namespace caravel::formatter {

/// Grows `line`, the first of an entry, by the rest of it and the empty line behind. Returns why
/// the entry is none; "" if it is whole. An entry without the empty line was cut off: all that is
/// left of the extract is part of it. Errors: of the input. Kind content where the text is no
/// entry, or is one over `limits`: whatever stands behind such a place may be part of a message,
/// which anybody can write, so no line of the extract can be trusted.
[[nodiscard]] Result<std::string_view> gather_journal_entry(const RecordLimits& limits,
                                                            LineSplitter& lines, Line& line);

/// The fields of `entry`, a whole one without the empty line, in its order. A value that is UTF-8
/// without NUL is a string, any other an array of its bytes; a field that stands more than once is
/// an array of its values: as `journalctl -o json` has them. Errors (kind content) are reasons for
/// a reject: a field of text without a value, over `most_fields`.
[[nodiscard]] Result<std::vector<JsonMember>> read_journal_entry(std::string_view entry,
                                                                 std::size_t most_fields);

/// One extract's reader: as for JSON lines, but for what a record looks like. It refuses an extract
/// that begins in the middle of its log: it cannot know whether its lines are those of a message.
class JournalReader : public MemberReader {
 public:
  JournalReader(const Format& format, const YearTable& years) : MemberReader(format, years) {}

  [[nodiscard]] bool spans_lines() const override { return true; }
  Result<std::string_view> gather(const CutLog& log, LineSplitter& lines, Line& line) override;
  [[nodiscard]] std::string_view trim(std::string_view record) const override;
  [[nodiscard]] bool takes_bytes() const override { return true; }
  Outcome take(std::string_view record) override;
};

}  // namespace caravel::formatter
