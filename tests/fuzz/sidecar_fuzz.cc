// Any two texts as a CSV and the sidecar beside it: refused with an error, or read to an end that
// agrees with what the sidecar says. The texts stand in one input, with a NUL byte between them.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "formatter/rows/sidecar.h"
#include "tests/fuzz/fuzz.h"
#include "uploader/row.h"

namespace caravel::formatter {
namespace {

using fuzz::MemoryFile;
using fuzz::Require;

void ReadPair(std::string_view csv, std::string_view sidecar) {
  auto rows = RowReader::open(MemoryFile(csv), MemoryFile(sidecar));
  if (!rows) return;
  const SidecarEnd& end = rows->end();
  const Counts& counts = end.counts;
  Require(counts.lines == counts.rows + counts.more_lines + counts.dropped + counts.rejected,
          "the counts of a sidecar that opens add up");
  std::uint64_t read = 0;
  std::uint64_t lines = 0;
  std::vector<std::string_view> fields;
  std::string scratch;
  Row row;
  for (;; ++read) {
    const auto more = rows->next(row);
    if (!more) return;
    if (!*more) break;
    Require(row.lines > 0 && row.lines <= counts.lines - lines, "the lines of rows are lines");
    lines += row.lines;
    Require(row.kind < rows->header().kinds.size(), "a row has a kind of the header");
    if (uploader::split_row(row, rows->header().columns.size(), fields, scratch)) continue;
    Require(fields.size() == rows->header().columns.size(), "a row has a field for every column");
    Require(uploader::is_id_tail(row.id_tail), "a row that is sent has an id that may be sent");
  }
  Require(read == counts.rows, "as many rows as the end line says");
  Require(lines == counts.rows + counts.more_lines, "as many lines of rows as the end line says");
  const auto again = rows->next(row);
  Require(again.has_value() && !*again, "the end stays the end");
}

}  // namespace
}  // namespace caravel::formatter

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t cut = input.find('\0');
  if (cut == std::string_view::npos) return 0;
  caravel::formatter::ReadPair(input.substr(0, cut), input.substr(cut + 1));
  return 0;
}
