// Any bytes, explained and counted: what is said is text that may stand on a terminal, every line
// has its explanation, and the counts of lines add up.
#include <cstdint>
#include <string>

#include "base/excerpt.h"
#include "base/text.h"
#include "formatter/explain/explainer.h"
#include "formatter/explain/statistics.h"
#include "formatter/input/line_splitter.h"
#include "tests/fuzz/fuzz.h"

namespace caravel::formatter {
namespace {

using fuzz::MemoryFile;
using fuzz::Require;

constexpr std::size_t kWidth = 80;

const FormatSet& Formats() {
  static const FormatSet formats = [] {
    auto loaded = FormatSet::load({CARAVEL_SOURCE_DIR "/etc/formats"});
    Require(loaded.has_value(), "the shipped formats load");
    return std::move(*loaded);
  }();
  return formats;
}

/// The first byte chooses the format, the rest is the extract.
void ExplainBytes(std::string_view bytes) {
  if (bytes.empty()) return;
  FormatRequest request;
  request.formats = &Formats();
  const auto& all = Formats().all();
  request.format = all[static_cast<unsigned char>(bytes[0]) % all.size()].get();
  request.years = YearTable::fixed(std::chrono::year(2000));
  request.max_line = 1 << 12;
  request.max_unpacked = 16 << 20;
  bytes.remove_prefix(1);
  auto input = Input::open(MemoryFile(bytes), {});
  if (!input) return;
  Explainer explainer(request.years, kWidth);
  Statistics statistics(request.years);
  Rejects rejects([&](std::uint64_t, std::uint64_t, std::string_view reason, std::string_view) {
    explainer.note_reject(reason);
    statistics.note_reject(reason);
  });
  FormatMonitor monitor;
  monitor.on_line = [&](const SeenLine& seen) -> Result<> {
    StyledText text;
    explainer.explain(seen, text);
    statistics.see(seen);
    const std::string said = text.plain();
    Require(printable_lines(said) == said, "nothing of it has to be escaped");
    Require(said.empty() == (seen.after.lines == seen.before.lines), "each line is explained once");
    return {};
  };
  Output csv(-1);
  Output sidecar(-1);
  const auto result = format_extract(*input, request, {csv, sidecar, rejects}, monitor);
  if (!result) return;
  StyledText text;
  statistics.append_to(*request.format, kWidth, text);
  const std::string said = text.plain();
  Require(printable_lines(said) == said, "nothing of the counts has to be escaped");
}

/// The place of an excerpt lies in it, and it keeps its width.
void ExcerptOfBytes(std::string_view bytes) {
  if (bytes.size() < 3) return;
  const std::size_t at = static_cast<unsigned char>(bytes[0]) * std::size_t{8};
  const std::size_t length = static_cast<unsigned char>(bytes[1]);
  bytes.remove_prefix(2);
  const std::string_view line = bytes.substr(0, bytes.find('\n'));
  constexpr std::size_t kMost = 40;
  const Excerpt excerpt = excerpt_of(line, at, length, kMost);
  Require(printable(excerpt.text) == excerpt.text, "an excerpt is printable");
  const std::size_t columns = columns_of(excerpt.text);
  Require(columns <= kMost + 1, "an excerpt keeps its width");
  Require(excerpt.column <= columns && excerpt.columns >= 1, "the place lies in the excerpt");
  Require(columns_of(abbreviated(line, kMost)) <= kMost, "an abbreviation keeps its width");
}

}  // namespace
}  // namespace caravel::formatter

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  caravel::formatter::ExplainBytes(bytes);
  caravel::formatter::ExcerptOfBytes(bytes);
  return 0;
}
