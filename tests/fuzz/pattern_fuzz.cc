// Any text as a pattern and as the line that it is matched with.
#include <cstdint>
#include <memory>
#include <string>

#include "formatter/patterns/pattern.h"
#include "tests/fuzz/fuzz.h"

namespace caravel::formatter {
namespace {

using fuzz::Require;

/// The first byte says how blanks count; the pattern ends at the first line end.
void CompileAndMatch(std::string_view bytes) {
  if (bytes.empty()) return;
  const bool any_blanks = (bytes[0] & 1) != 0;
  bytes.remove_prefix(1);
  const std::string_view text = bytes.substr(0, bytes.find('\n'));
  const std::string_view line =
      text.size() < bytes.size() ? bytes.substr(text.size() + 1) : std::string_view();
  // Bytes behind the pattern's own, too, must be refused.
  if (const auto two_lines = Pattern::compile(bytes, any_blanks)) {
    Require(bytes.find('\n') == std::string_view::npos, "a pattern is one line");
  }
  const auto pattern = Pattern::compile(text, any_blanks);
  if (!pattern) {
    Require(!pattern.error().message.empty(), "an error says something");
    return;
  }
  Require(pattern->ops().size() <= kMaxOps && pattern->names().size() <= kMaxCaptures, "limits");
  for (std::size_t i = 0; i <= pattern->ops().size(); ++i) {
    for (const auto wanted :
         {MatchState::Wanted::blank, MatchState::Wanted::text, MatchState::Wanted::value}) {
      Require(!pattern->expectation(i, wanted).empty(), "an expectation says something");
    }
  }
  Require(pattern->shared_with(*pattern) == pattern->ops().size(), "a pattern is like itself");

  // Exactly the memory that match() may read.
  const std::size_t size = line.substr(0, line.find('\n')).size();
  const auto held = std::make_unique<char[]>(size + 1 + kReadableBehind);
  std::copy_n(line.data(), size, held.get());
  held[size] = '\n';
  const char* const end = held.get() + size;
  auto state = std::make_unique<MatchState>();
  state->at[0] = held.get();
  const YearTable years = YearTable::fixed(std::chrono::year(2012));
  const std::size_t failed = pattern->match(0, end, years, *state);
  const std::size_t last = failed == Pattern::kMatched ? pattern->ops().size() : failed;
  Require(last <= pattern->ops().size(), "what failed is an op or the end");
  for (std::size_t i = 0; i <= last; ++i) {
    Require(state->at[i] >= held.get() && state->at[i] <= end, "no op begins behind the line");
  }
  if (failed != Pattern::kMatched) return;
  for (std::size_t i = 0; i < pattern->names().size(); ++i) {
    const Capture& capture = state->captures[i];
    Require(capture.begin >= held.get() && capture.begin <= capture.end && capture.end <= end,
            "a capture lies in the line");
  }
}

}  // namespace
}  // namespace caravel::formatter

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  caravel::formatter::CompileAndMatch({reinterpret_cast<const char*>(data), size});
  return 0;
}
