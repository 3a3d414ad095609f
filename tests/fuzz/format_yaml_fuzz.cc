// Any text as a format file: an error that names the file, or a format that formats.
#include <cstdint>
#include <string>

#include "formatter/formatter.h"
#include "tests/fuzz/fuzz.h"

namespace caravel::formatter {
namespace {

using fuzz::MemoryFile;
using fuzz::Require;

constexpr std::string_view kLines =
    "09:48:00 03/09 V.1 H.0 MT_LOCATION Lat/Lon:3677/-7609 [Valid] Adher:3 [Valid] FOM:2\n"
    "2012-03-09,09:48:00,V.1.2683,36.77,-76.09,V,3,V,,,\n"
    "192.0.2.7 - - [09/Mar/2012:09:48:00 +0000] \"GET / HTTP/1.1\" 200 5 \"-\" \"-\"\n"
    "2012-03-09T09:48:00.5Z 1331286480 word \"a \\\" b\" 5\n"
    "{\"a\":1,\"t\":\"2012-03-09T09:48:00Z\"}\n\n";

void CompileAndFormat(const std::string& text) {
  const auto root = YamlNode::parse(text, "fuzz.yaml", YamlNode::Quote::yes);
  if (!root) return;
  const auto format = compile_format(*root);
  if (!format) {
    Require(format.error().kind == ErrorKind::usage, "a bad format is a usage error");
    Require(format.error().message.starts_with("fuzz.yaml:"), "an error names the file");
    return;
  }
  for (const Kind& kind : format->kinds) {
    Require(!kind.keep || kind.columns.size() == format->columns.size(), "a rule for each column");
  }
  FormatRequest request;
  request.format = &*format;
  request.years = YearTable::fixed(std::chrono::year(2012));
  auto input = Input::open(MemoryFile(kLines), {});
  Require(input.has_value(), "open");
  const UniqueFd csv_fd = MemoryFile();
  const UniqueFd sidecar_fd = MemoryFile();
  Output csv(csv_fd.get());
  Output sidecar(sidecar_fd.get());
  Rejects rejects({"", "", ""});
  const auto result = format_extract(*input, request, {csv, sidecar, rejects});
  if (!result) {
    // A header of other columns, or what is no entry of a journal, refuses an extract.
    Require(format->reader == Reader::csv || format->reader == Reader::journal, "it can be used");
    Require(result.error().kind == ErrorKind::content, "only the content is at fault");
    return;
  }
  Require(result->counts.lines == 6, "every line is counted");
}

}  // namespace
}  // namespace caravel::formatter

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  caravel::formatter::CompileAndFormat({reinterpret_cast<const char*>(data), size});
  return 0;
}
