// Any text as a manifest, and as the name of an extract: what is read is written and read the same,
// and every name that the agent could give is one that is read.
#include <cstdint>
#include <string>
#include <string_view>

#include "tests/fuzz/fuzz.h"
#include "watcher/exchange/manifest.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using caravel::fuzz::Require;
  using namespace caravel::watcher;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto manifest = parse_manifest(text)) {
    const auto again = parse_manifest(format_manifest(*manifest));
    Require(again.has_value(), "what was written is read");
    Require(*again == *manifest, "as the same");
    Require(manifest->bytes == manifest->last - manifest->first, "the bytes are those of the log");
    const std::string name =
        extract_name(manifest->log, manifest->host, manifest->run, manifest->sequence);
    const auto parts = parse_tail_name(name);
    Require(parts && parts->run == manifest->run && parts->sequence == manifest->sequence,
            "its name says run and sequence");
    Require(manifest_name(name).size() <= 200, "its name fits");
  }
  if (const auto parts = parse_tail_name(text)) {
    Require(parts->run.size() == 8, "a run has eight digits");
  }
  return 0;
}
