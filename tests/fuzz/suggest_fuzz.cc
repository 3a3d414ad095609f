// Any bytes as a log: whatever format is suggested loads, and takes what it says that it takes.
#include <cstdint>

#include "formatter/suggest/suggest.h"
#include "tests/fuzz/fuzz.h"

namespace caravel::formatter {
namespace {

using fuzz::Require;

void SuggestAndTry(std::string_view log) {
  const Sample sample = sample_of(log);
  const auto suggestion = suggest_format(sample, log.substr(0, 20), FormatSet());
  if (!suggestion) {
    Require(suggestion.error().kind == ErrorKind::content, "only the content is at fault");
    return;
  }
  const auto root = YamlNode::parse(suggestion->yaml, "suggested.yaml");
  Require(root.has_value(), "a suggestion is YAML");
  const auto format = compile_format(*root);
  Require(format.has_value(), "a suggestion loads");
  for (const Kind& kind : format->kinds) Require(kind.keep, "no line is dropped");
  const auto trial = try_format(suggestion->yaml, sample.bytes());
  Require(trial.has_value(), "a suggestion formats");
  Require(trial->lines == suggestion->trial.lines, "the lines are counted");
  Require(trial->taken == suggestion->trial.taken, "the lines that it takes are told");
}

}  // namespace
}  // namespace caravel::formatter

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  caravel::formatter::SuggestAndTry({reinterpret_cast<const char*>(data), size});
  return 0;
}
