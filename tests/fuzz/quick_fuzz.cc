// The quick way against the thorough one, over any lines, in all shipped formats and in some that
// were made for it: the same CSV, sidecar, rejects and counts.
#include <cstdint>
#include <string>
#include <vector>

#include "tests/formatter/both_ways.h"
#include "tests/formatter/quick/made_formats.h"
#include "tests/fuzz/fuzz.h"

namespace caravel::formatter {
namespace {

using fuzz::Require;

const FormatSet& Formats() {
  static const FormatSet formats = [] {
    auto loaded = FormatSet::load({CARAVEL_SOURCE_DIR "/etc/formats"});
    Require(loaded.has_value(), "the shipped formats load");
    for (const char* const yaml : test::kMadeFormats) {
      const auto root = YamlNode::parse(yaml, "made.yaml");
      Require(root.has_value(), "a made format is YAML");
      auto format = compile_format(*root);
      Require(format.has_value(), "a made format compiles");
      loaded->add(std::move(*format));
    }
    return std::move(*loaded);
  }();
  return formats;
}

/// The first two bytes choose the format and the options. The rest is the extract; its lines come
/// again and again, so that what the quick way has learnt of the first ones is used for the others.
void FormatBothWays(std::string_view bytes) {
  if (bytes.size() < 2) return;
  const auto choice = static_cast<unsigned char>(bytes[0]);
  const auto options = static_cast<unsigned char>(bytes[1]);
  bytes.remove_prefix(2);
  FormatRequest request;
  request.formats = &Formats();
  request.format = Formats().all()[choice % Formats().all().size()].get();
  request.years = YearTable::fixed(std::chrono::year(2000 + options % 2));
  request.accept_unterminated = (options & 2) != 0;
  request.max_line = (options & 4) != 0 ? 256 : 1 << 14;
  request.log_offset = (options & 8) != 0 ? 4711 : 0;
  std::string extract(bytes);
  if ((options & 16) != 0) extract.append(bytes).append(bytes);
  const std::string difference = test::CompareBothWays(extract, request, (options & 32) == 0);
  Require(difference.empty(), difference.c_str());
}

}  // namespace
}  // namespace caravel::formatter

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  caravel::formatter::FormatBothWays({reinterpret_cast<const char*>(data), size});
  return 0;
}
