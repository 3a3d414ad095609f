#include "formatter/input/encoding.h"

#include <iconv.h>

#include <cerrno>

#include <fmt/format.h>

namespace caravel::formatter {
namespace {

/// What no call of iconv_open(3) returns for a conversion that exists.
iconv_t no_conversion() { return reinterpret_cast<iconv_t>(-1); }

}  // namespace

Result<Decoder> Decoder::open(const char* from) {
  const iconv_t handle = ::iconv_open("UTF-8", from);
  if (handle == no_conversion()) {
    return fail(
        ErrorKind::fault,
        fmt::format("this system cannot convert {} to UTF-8 (iconv -l lists what it can)", from));
  }
  return Decoder(handle);
}

Result<Decoder> Decoder::open(Encoding encoding) {
  return open(encoding == Encoding::cp1252 ? "WINDOWS-1252" : "ISO-8859-1");
}

Decoder::~Decoder() {
  if (handle_ != nullptr) ::iconv_close(handle_);
}
Decoder::Decoder(Decoder&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
Decoder& Decoder::operator=(Decoder&& other) noexcept {
  std::swap(handle_, other.handle_);
  return *this;
}

std::string_view Decoder::convert(std::string_view text, std::string& out) {
  // iconv(3) takes the address of a pointer to bytes that it does not change.
  char* from = const_cast<char*>(text.data());
  std::size_t left = text.size();
  while (left > 0) {
    const std::size_t before = out.size();
    // No character of these encodings takes more than three bytes for one, or four for two.
    out.resize(before + 3 * left);
    char* to = out.data() + before;
    std::size_t room = out.size() - before;
    const std::size_t status = ::iconv(handle_, &from, &left, &to, &room);
    const int error = errno;
    out.resize(out.size() - room);
    if (status == static_cast<std::size_t>(-1) && error != E2BIG) break;
  }
  return {from, left};
}

Result<Utf16Stream> Utf16Stream::open(std::string_view mark) {
  CARAVEL_ASSIGN_OR_RETURN(auto decoder,
                           Decoder::open(mark.front() == '\xff' ? "UTF-16LE" : "UTF-16BE"));
  return Utf16Stream(std::move(decoder));
}

std::string Utf16Stream::take(std::string_view bytes, bool last) {
  rest_.append(bytes);
  std::string out;
  std::string_view left = rest_;
  for (;;) {
    left = decoder_.convert(left, out);
    // Four bytes hold any character whole. Fewer may be the beginning of one that goes on in the
    // bytes that come next.
    if (left.size() < 4 && !last) break;
    if (left.empty()) break;
    out.push_back('\xff');
    left.remove_prefix(left.size() < 2 ? 1 : 2);
  }
  rest_ = std::string(left);
  return out;
}

}  // namespace caravel::formatter
