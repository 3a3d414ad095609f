#include "formatter/suggest/sample.h"

#include <algorithm>

#include <simdjson.h>

#include "base/text.h"
#include "formatter/input/encoding.h"
#include "formatter/records/matcher.h"

namespace caravel::formatter {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

/// Control characters and characters that show nothing could not be told apart in a suggestion, so
/// nothing is learnt from lines that hold them. A tab is a blank.
bool is_plain_text(std::string_view line) {
  const auto is_printable = [](char c) { return (c >= ' ' && c < '\x7f') || c == '\t'; };
  if (std::all_of(line.begin(), line.end(), is_printable)) return true;
  if (!simdjson::validate_utf8(line.data(), line.size())) return false;
  while (!line.empty()) {
    const std::size_t length = std::max<std::size_t>(utf8_length(line), 1);
    const std::string_view character = line.substr(0, length);
    if (character != "\t" && (is_control(character) || is_unseen(character))) return false;
    line.remove_prefix(length);
  }
  return true;
}

/// The bytes of `text` up to the end of its last line that is whole and within the limit.
std::size_t end_of_lines(std::string_view text) {
  std::size_t end = 0;
  for (std::size_t lines = 0; lines < kMostSampleLines; ++lines) {
    const std::size_t next = text.find('\n', end);
    if (next == std::string_view::npos) break;
    end = next + 1;
  }
  return end;
}

/// A sample of text that is UTF-8, or should be.
Sample plain_sample(std::string_view bytes) {
  Sample sample;
  sample.whole = bytes.size() <= kMostSampleBytes;
  std::string_view text = bytes.substr(0, kMostSampleBytes);
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  const std::size_t end = end_of_lines(text);
  // A last line without an end is a line of a sample that a person cut out by hand, unless the
  // limit has cut it. One that is longer than the whole sample is nothing to learn from.
  const bool lacks_end =
      sample.whole && end < text.size() && text.find('\n', end) == std::string_view::npos;
  if (!lacks_end) {
    sample.whole = sample.whole && end == text.size();
    text = text.substr(0, end);
  }
  sample.text.assign(text.begin(), text.end());
  if (lacks_end) sample.text.push_back('\n');
  std::string_view left = sample.view();
  while (!left.empty()) {
    const std::size_t next = left.find('\n');
    const std::string_view line = trim_line(left.substr(0, next));
    left.remove_prefix(next + 1);
    if (line.empty()) continue;
    if (is_plain_text(line)) {
      sample.lines.push_back(line);
    } else {
      ++sample.unreadable;
    }
  }
  return sample;
}

/// The text that UTF-16 stands for; "" if this is none.
std::string from_utf16(std::string_view bytes) {
  if (!is_utf16_mark(bytes)) return {};
  auto stream = Utf16Stream::open(bytes.substr(0, 2));
  return stream ? stream->take(bytes.substr(2), true) : std::string();
}

/// The text that cp1252 stands for; "" if a byte stands for nothing there.
std::string from_cp1252(std::string_view bytes) {
  auto decoder = Decoder::open(Encoding::cp1252);
  std::string text;
  if (!decoder || !decoder->convert(bytes, text).empty()) return {};
  return text;
}

Sample decoded_sample(std::string_view text, std::string_view bytes, Encoding encoding) {
  Sample sample = plain_sample(text);
  sample.original.assign(bytes.begin(), bytes.end());
  sample.encoding = kEncodingNames[static_cast<std::size_t>(encoding)];
  return sample;
}

}  // namespace

Sample sample_of(std::string_view bytes) {
  const std::string_view some = bytes.substr(0, kMostSampleBytes);
  if (const std::string text = from_utf16(some); !text.empty()) {
    Sample sample = decoded_sample(text, some, Encoding::utf16);
    sample.whole = sample.whole && some.size() == bytes.size();
    return sample;
  }
  Sample sample = plain_sample(bytes);
  if (sample.unreadable * 20 <= sample.lines.size()) return sample;
  // A log that holds UTF-8 beside what is none is damaged: as cp1252 its text would become another.
  const auto is_ascii = [](std::string_view line) {
    return std::all_of(line.begin(), line.end(), [](char c) { return (c & 0x80) == 0; });
  };
  if (!std::all_of(sample.lines.begin(), sample.lines.end(), is_ascii)) return sample;
  const std::string text = from_cp1252(sample.view());
  if (text.empty()) return sample;
  Sample decoded = decoded_sample(text, sample.view(), Encoding::cp1252);
  decoded.whole = decoded.whole && sample.whole;
  // Where it makes no more sense, the lines are something else.
  if (decoded.unreadable * 20 > decoded.lines.size()) return sample;
  return decoded;
}

Result<Sample> read_sample(Input& input) {
  // One byte more than a sample holds tells whether there is more.
  std::string bytes(kMostSampleBytes + 1, '\0');
  std::size_t filled = 0;
  while (filled < bytes.size()) {
    CARAVEL_ASSIGN_OR_RETURN(const auto got,
                             input.read(bytes.data() + filled, bytes.size() - filled));
    if (got == 0) break;
    filled += got;
  }
  return sample_of(std::string_view(bytes).substr(0, filled));
}

}  // namespace caravel::formatter
