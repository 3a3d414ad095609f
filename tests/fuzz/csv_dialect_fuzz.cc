// Any bytes as an extract of any dialect of CSV, with records over lines: the counts add up, every
// row reads back, the end of a record is found where splitting it finds one, and what is taken at a
// glance is what the thorough way makes of it.
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
using test::ComparePlainLines;
using test::PlainLines;

/// What the first three bytes choose.
Format ChosenFormat(std::string_view choice) {
  const auto bit = [&](std::size_t byte, unsigned mask) {
    return (static_cast<unsigned char>(choice[byte]) & mask) != 0;
  };
  Format format;
  format.name = "f";
  format.reader = Reader::csv;
  format.identity = Identity::position;
  format.csv.dialect.separator = ",;\t|"[static_cast<unsigned char>(choice[0]) & 3];
  format.csv.dialect.quote = bit(0, 4) ? '\0' : bit(0, 8) ? '\'' : '"';
  format.csv.separator_given = bit(0, 16);
  format.csv.separator_auto = bit(0, 32);
  format.csv.decimal_comma = bit(0, 64);
  format.csv.header = bit(1, 1)   ? CsvHeaderLine::present
                      : bit(1, 2) ? CsvHeaderLine::absent
                                  : CsvHeaderLine::found;
  format.csv.skip = static_cast<unsigned char>(choice[2]) & 3;
  format.encoding = static_cast<Encoding>((static_cast<unsigned char>(choice[2]) >> 2) & 3);
  format.records = {bit(2, 16) ? std::size_t{40} : std::size_t{1} << 20, bit(2, 32) ? 3U : 1000U};
  if (bit(1, 4) || bit(1, 2)) {
    format.columns = {{"a", ColumnType::automatic}, {"b", ColumnType::automatic}};
    format.csv.takes_more = bit(1, 8) && !bit(1, 2);
  }
  return format;
}

/// The lines of `text` as one record, line by line and at once.
void CompareRecordEnds(std::string_view text, const CsvDialect& dialect) {
  CsvRecordEnd end(dialect);
  std::vector<std::string_view> fields;
  std::string scratch;
  for (std::size_t from = 0;;) {
    const std::size_t stop = std::min(text.size(), text.find('\n', from));
    const CsvQuotes quotes = end.take(text.substr(from, stop - from));
    std::string_view record = text.substr(0, stop);
    while (!record.empty() &&
           (record.back() == ' ' || record.back() == '\t' || record.back() == '\r'))
      record.remove_suffix(1);
    if (quotes == CsvQuotes::sound && dialect.separator != '\t') {
      Require(split_csv(record, dialect, fields, scratch) == CsvQuotes::sound, "a record splits");
    }
    if (quotes == CsvQuotes::broken) {
      Require(split_csv(text.substr(0, stop), dialect, fields, scratch) == CsvQuotes::broken,
              "broken quotes are broken at once");
    }
    if (quotes != CsvQuotes::open || stop == text.size()) return;
    from = stop + 1;
  }
}

void FormatBytes(std::string_view bytes) {
  if (bytes.size() < 3) return;
  const Format format = ChosenFormat(bytes.substr(0, 3));
  bytes.remove_prefix(3);
  CompareRecordEnds(bytes, format.csv.dialect);
  const PlainLines plain = ComparePlainLines(format, bytes, {{}, {}, true});
  Require(plain.difference.empty(), plain.difference.c_str());
  FormatRequest request;
  request.format = &format;
  request.max_line = 1 << 14;
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
  Require(result->counts.add_up(), "the counts add up");
  ::lseek(csv_fd.get(), 0, SEEK_SET);
  ::lseek(sidecar_fd.get(), 0, SEEK_SET);
  auto rows = RowReader::open(std::move(csv_fd), std::move(sidecar_fd));
  Require(rows.has_value(), "the sidecar is whole");
  std::vector<std::string_view> fields;
  std::string scratch;
  Row row;
  for (;;) {
    const auto more = rows->next(row);
    Require(more.has_value(), "every row reads back");
    if (!*more) break;
    Require(split_csv_record(row.record, fields, scratch), "a record is CSV");
    Require(fields.size() == rows->header().columns.size(), "with a field for every column");
  }
}

}  // namespace
}  // namespace caravel::formatter

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  caravel::formatter::FormatBytes({reinterpret_cast<const char*>(data), size});
  return 0;
}
