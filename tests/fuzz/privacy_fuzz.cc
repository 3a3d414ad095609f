// Any bytes as an extract of a format with `privacy`: what comes out is as long, line by line,
// comes out again unchanged, and makes the same rows, dropped lines and rejects.
#include <unistd.h>

#include <cstdint>
#include <string>

#include "formatter/formatter.h"
#include "formatter/input/encoding.h"
#include "formatter/privacy/anonymise.h"
#include "tests/fuzz/fuzz.h"

namespace caravel::formatter {
namespace {

using fuzz::MemoryFile;
using fuzz::Require;

const FormatSet& Shipped() {
  static const FormatSet formats = *FormatSet::load({CARAVEL_SOURCE_DIR "/etc/formats"});
  return formats;
}

/// A limit that inputs of a few hundred bytes reach.
constexpr std::size_t kMaxLine = 200;

std::string Content(int fd) {
  std::string text(static_cast<std::size_t>(::lseek(fd, 0, SEEK_END)), '\0');
  text.resize(read_at(fd, 0, text.data(), text.size()).value_or(0));
  return text;
}

/// "" if the input is damaged.
std::string Anonymise(std::string_view bytes, const Format& format) {
  auto input = Input::open(MemoryFile(bytes), {});
  if (!input) return "";
  AnonymiseRequest request{format, YearTable::fixed(std::chrono::year(2012))};
  request.max_line = kMaxLine;
  request.max_unpacked = std::uint64_t{1} << 20;
  request.plain = true;
  const UniqueFd out = MemoryFile();
  Output output(out.get());
  const auto result = anonymise_extract(*input, request, {}, output);
  Require(result.has_value(), "whatever comes, it is written anew");
  if (result->damage) {
    Require(result->damage->kind == ErrorKind::content, "damage is of the content");
    return "";
  }
  return Content(out.get());
}

Counts CountsOf(std::string_view bytes, const Format& format) {
  auto input = Input::open(MemoryFile(bytes), {});
  Require(input.has_value(), "open");
  FormatRequest request;
  request.format = &format;
  request.max_line = kMaxLine;
  Output csv(-1);
  Output sidecar(-1);
  Rejects rejects([](std::uint64_t, std::uint64_t, std::string_view, std::string_view) {});
  const auto result = format_extract(*input, request, {csv, sidecar, rejects});
  Require(result.has_value(), "format");
  return result->counts;
}

void Check(std::string_view bytes) {
  const Format& format = *Shipped().find("nginx-private");
  const std::string once = Anonymise(bytes, format);
  if (once.empty()) return;
  Require(Anonymise(once, format) == once, "a copy of the copy is the copy");
  const bool packed = bytes.starts_with("\x1f\x8b") || bytes.starts_with("\x28\xb5\x2f\xfd") ||
                      bytes.substr(1, 3) == "\x2a\x4d\x18";
  // What is decoded has other lengths.
  if (packed || is_utf16_mark(bytes)) return;
  Require(once.size() == bytes.size(), "lines keep their length");
  for (std::size_t i = 0; i < once.size(); ++i) {
    Require((once[i] == '\n') == (bytes[i] == '\n'), "lines keep their places");
  }
  const Counts before = CountsOf(bytes, format);
  const Counts after = CountsOf(once, format);
  Require(
      before.lines == after.lines && after.rows <= before.rows && before.rejected <= after.rejected,
      "no row comes of what was none");
}

}  // namespace
}  // namespace caravel::formatter

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  caravel::formatter::Check({reinterpret_cast<const char*>(data), size});
  return 0;
}
