#include "formatter/input/line_text.h"

#include <simdjson.h>

namespace caravel::formatter {

Result<LineText> LineText::open(Encoding encoding) {
  // UTF-16 was decoded before there were lines.
  if (encoding == Encoding::utf8 || encoding == Encoding::utf16) return LineText(std::nullopt);
  CARAVEL_ASSIGN_OR_RETURN(auto decoder, Decoder::open(encoding));
  return LineText(std::move(decoder));
}

std::string_view LineText::fault_of(const Line& line, std::string_view& text) {
  // Left by a disk that lost what was written; or UTF-16 without its mark.
  if (line.nul && text.find('\0') != std::string_view::npos) return "holds NUL bytes";
  if (line.ascii) return {};
  if (!decoder_) {
    // JSON and most stores take UTF-8 only, and one bad row would fail its whole batch.
    return simdjson::validate_utf8(text.data(), text.size()) ? "" : "not valid UTF-8";
  }
  decoded_.clear();
  if (!decoder_->convert(text, decoded_).empty()) return "not valid in the encoding of its format";
  const std::size_t size = decoded_.size();
  decoded_.append(kBehindLine, '\n');
  text = std::string_view(decoded_).substr(0, size);
  return {};
}

}  // namespace caravel::formatter
