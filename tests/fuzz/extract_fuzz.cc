// Any bytes as an extract of any shipped format: the counts add up, and what was written reads
// back; what is taken at a glance is what the thorough way makes of it.
#include <cstdint>
#include <string>

#include "formatter/formatter.h"
#include "formatter/rows/csv.h"
#include "formatter/rows/sidecar.h"
#include "tests/formatter/plain_lines.h"
#include "tests/fuzz/fuzz.h"

namespace caravel::formatter {
namespace {

using fuzz::MemoryFile;
using fuzz::Require;

const FormatSet& Formats() {
  static const FormatSet formats = [] {
    auto loaded = FormatSet::load({CARAVEL_SOURCE_DIR "/etc/formats"});
    Require(loaded.has_value(), "the shipped formats load");
    return std::move(*loaded);
  }();
  return formats;
}

/// The first two bytes choose the format and the options, the rest is the extract.
void FormatBytes(std::string_view bytes) {
  if (bytes.size() < 2) return;
  const auto choice = static_cast<unsigned char>(bytes[0]);
  const auto options = static_cast<unsigned char>(bytes[1]);
  bytes.remove_prefix(2);

  FormatRequest request;
  request.formats = &Formats();
  const auto& all = Formats().all();
  if (choice % (all.size() + 1) != all.size())
    request.format = all[choice % (all.size() + 1)].get();
  request.years = YearTable::fixed(std::chrono::year(2000 + choice % 2));
  request.accept_unterminated = (options & 1) != 0;
  request.max_line = (options & 2) != 0 ? 256 : 1 << 14;
  request.max_unpacked = 64 << 20;

  if (request.format != nullptr && request.format->reader != Reader::pattern) {
    const auto plain = test::ComparePlainLines(*request.format, bytes, {{}, request.years, true});
    Require(plain.difference.empty(), plain.difference.c_str());
  }

  auto input = Input::open(MemoryFile(bytes), {});
  if (!input) return;
  UniqueFd csv_fd = MemoryFile();
  UniqueFd sidecar_fd = MemoryFile();
  Output csv(csv_fd.get());
  Output sidecar(sidecar_fd.get());
  Rejects rejects({"", "", ""});
  const auto result = format_extract(*input, request, {csv, sidecar, rejects});
  if (!result) {
    Require(result.error().kind == ErrorKind::content, "only the content is at fault");
    return;
  }
  const Counts& counts = result->counts;
  Require(counts.add_up(), "the counts add up");

  ::lseek(csv_fd.get(), 0, SEEK_SET);
  ::lseek(sidecar_fd.get(), 0, SEEK_SET);
  auto rows = RowReader::open(std::move(csv_fd), std::move(sidecar_fd));
  Require(rows.has_value(), "the sidecar is whole");
  const std::size_t columns = rows->header().columns.size();
  std::uint64_t read = 0;
  std::vector<std::string_view> fields;
  std::string scratch;
  Row row;
  for (;; ++read) {
    const auto more = rows->next(row);
    Require(more.has_value(), "every row reads back");
    if (!*more) break;
    Require(split_csv_record(row.record, fields, scratch), "a record is CSV");
    Require(fields.size() == columns, "a record has a field for every column");
    Require(row.line >= 1 && row.line <= counts.lines, "a row has a line");
    Require(row.offset < result->unpacked_bytes, "a row has a place");
  }
  Require(read == counts.rows, "as many rows as were counted");
}

}  // namespace
}  // namespace caravel::formatter

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  caravel::formatter::FormatBytes({reinterpret_cast<const char*>(data), size});
  return 0;
}
