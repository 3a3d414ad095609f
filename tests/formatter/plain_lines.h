// Compares what a RecordReader takes at a glance (take_plain) with what it makes of the same line
// in the thorough way: unit tests and fuzz targets ask it.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/text.h"
#include "formatter/formats/format.h"
#include "formatter/input/line_splitter.h"
#include "formatter/records/matcher.h"
#include "formatter/records/record_reader.h"
#include "formatter/rows/csv.h"

namespace caravel::test {

/// What came of the lines of one text.
struct PlainLines {
  std::size_t plain = 0;   // that were taken at a glance
  std::size_t others = 0;  // rows all the same
  std::string difference;  // the first one between the two ways; "" if there is none
};

namespace internal {

/// Whether the formatter would show this line to a reader.
inline bool IsText(std::string_view line) {
  while (!line.empty()) {
    const std::size_t length = utf8_length(line);
    if (length == 0 || line.front() == '\0') return false;
    line.remove_prefix(length);
  }
  return true;
}

inline std::string RowOf(const formatter::RecordReader& reader) {
  return std::string(reader.record()) + " | " + reader.time() + " | " + reader.key() + " | " +
         std::to_string(reader.date());
}

}  // namespace internal

/// Shows each line of `text` to two readers of `format`: one asks for plain lines first, the other
/// never does. `text` may be anything; each of its lines is a record, or none.
inline PlainLines ComparePlainLines(const formatter::Format& format, std::string_view text,
                                    const formatter::RecordStart& start) {
  using Outcome = formatter::RecordReader::Outcome;
  PlainLines found;
  const auto quick = formatter::make_record_reader(format, start);
  const auto thorough = formatter::make_record_reader(format, start);
  std::string memory;
  while (!text.empty() && found.difference.empty()) {
    const std::size_t end = std::min(text.size(), text.find('\n'));
    const std::string_view line = text.substr(0, end);
    // Behind a line may stand the next one, and behind the last one anything.
    memory.assign(text.substr(0, end + 1 + formatter::kBehindLine));
    if (end == text.size()) memory.push_back('\n');
    while (memory.size() < end + 1 + formatter::kBehindLine) memory.push_back("\",\r}"[end & 3]);
    text.remove_prefix(std::min(text.size(), end + 1));
    if (formatter::trim_line(line).empty() || !internal::IsText(line)) continue;
    const std::string_view seen = std::string_view(memory).substr(0, end);
    const std::string_view plain = quick->take_plain(seen);
    const std::string quick_row = plain.empty() ? "" : internal::RowOf(*quick);
    const std::string_view record = thorough->trim(seen);
    const Outcome outcome = thorough->take(record);
    if (!plain.empty()) {
      ++found.plain;
      if (outcome != Outcome::row) {
        found.difference = "no row: " + std::string(line) + " | " + thorough->reason();
      } else if (plain != record || quick_row != internal::RowOf(*thorough)) {
        found.difference =
            std::string(line) + "\n  " + quick_row + "\n  " + internal::RowOf(*thorough);
      }
      continue;
    }
    if (outcome == Outcome::row) ++found.others;
    if (quick->take(record) != outcome || quick->reason() != thorough->reason() ||
        (outcome == Outcome::row && internal::RowOf(*quick) != internal::RowOf(*thorough))) {
      found.difference = "asking for a plain line changed something: " + std::string(line);
    }
  }
  return found;
}

}  // namespace caravel::test
