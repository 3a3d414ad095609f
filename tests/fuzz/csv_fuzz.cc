// Any text as a CSV record: what can be split is joined and split to the same.
#include <cstdint>
#include <string>
#include <vector>

#include "formatter/rows/csv.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using caravel::fuzz::Require;
  const std::string record(reinterpret_cast<const char*>(data), size);
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
