// Text in another encoding than UTF-8, made UTF-8 by iconv(3).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"

namespace caravel::formatter {

/// How the bytes of an extract stand for characters (`encoding` of a format).
enum class Encoding : std::uint8_t {
  utf8,
  latin1,  // ISO 8859-1
  cp1252,  // Windows' Western European
  utf16,   // of an extract that begins with the mark of UTF-16; any other is UTF-8
};

/// Their names in format files, in the order of the enumerators.
inline constexpr std::string_view kEncodingNames[] = {"utf-8", "latin-1", "cp1252", "utf-16"};

/// A conversion to UTF-8; for one thread.
class Decoder {
 public:
  /// `from` as iconv(3) calls it. Errors: kind fault, if the system does not know it.
  static Result<Decoder> open(const char* from);
  /// Of a single-byte encoding (latin1 or cp1252).
  static Result<Decoder> open(Encoding encoding);
  ~Decoder();
  Decoder(Decoder&& other) noexcept;
  Decoder& operator=(Decoder&& other) noexcept;
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  /// Appends `text` to `out` as UTF-8, as far as it can be converted; what is left over of `text`
  /// begins with bytes that stand for nothing, or with a character of which the rest is missing.
  [[nodiscard]] std::string_view convert(std::string_view text, std::string& out);

 private:
  explicit Decoder(void* handle) : handle_(handle) {}

  void* handle_;  // iconv_t
};

/// Reads UTF-16 chunk by chunk. Half of a surrogate pair, or a byte too many at the end, becomes
/// the byte FF, which is no UTF-8: its line can then be nothing but a reject.
class Utf16Stream {
 public:
  /// `mark` is the first two bytes, FF FE or FE FF.
  static Result<Utf16Stream> open(std::string_view mark);

  /// The UTF-8 text of the bytes that follow; of a character that is cut off at the end, in the
  /// next call. `last`: nothing follows.
  [[nodiscard]] std::string take(std::string_view bytes, bool last);

 private:
  explicit Utf16Stream(Decoder decoder) : decoder_(std::move(decoder)) {}

  Decoder decoder_;
  std::string rest_;
};

/// Whether these first bytes are the mark of UTF-16.
[[nodiscard]] inline bool is_utf16_mark(std::string_view bytes) {
  return bytes.substr(0, 2) == "\xff\xfe" || bytes.substr(0, 2) == "\xfe\xff";
}

}  // namespace caravel::formatter
