// Any text as a CSV record: what can be split is joined and split to the same.
#include <cstdint>
#include <string>
#include <vector>

#include "formatter/rows/csv.h"
#include "formatter/spans/csv_spans.h"
#include "tests/fuzz/fuzz.h"

namespace {

/// What is plain at a glance splits into the same fields, and is written the same.
void CompareSpans(const std::string& record, const caravel::formatter::CsvDialect& dialect) {
  using caravel::fuzz::Require;
  if (record.empty() || record.find('\n') != std::string::npos) return;
  const std::string memory = record + std::string(64, '"');
  caravel::formatter::CsvSpans spans;
  if (!spans.scan(std::string_view(memory).substr(0, record.size()), dialect)) return;
  std::vector<std::string_view> fields;
  std::string scratch;
  Require(caravel::formatter::split_csv(record, dialect, fields, scratch) ==
              caravel::formatter::CsvQuotes::sound,
          "what is plain splits");
  Require(spans.count() == fields.size(), "into as many fields");
  std::string joined;
  caravel::formatter::append_csv_record(fields, joined);
  std::string written;
  Require(spans.written(written) == joined, "and is written the same");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using caravel::fuzz::Require;
  const std::string record(reinterpret_cast<const char*>(data), size);
  for (const char separator : {',', ';'}) {
    for (const char quote : {'"', '\'', '\0'}) CompareSpans(record, {separator, quote});
  }
  std::vector<std::string_view> fields;
  std::string scratch;
  if (!caravel::formatter::split_csv_record(record, fields, scratch)) return 0;
  const std::vector<std::string> values(fields.begin(), fields.end());
  Require(!values.empty(), "a record has a field");
  const std::string joined = caravel::formatter::csv_record(values);
  Require(caravel::formatter::split_csv_record(joined, fields, scratch), "what was joined splits");
  Require(values == std::vector<std::string>(fields.begin(), fields.end()), "into the same");
  return 0;
}
