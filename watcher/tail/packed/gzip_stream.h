// The text of a gzip file (RFC 1952), as a stream.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <boost/beast/zlib/inflate_stream.hpp>

#include "base/error.h"
#include "base/unique_fd.h"

namespace caravel::tail {

/// Reads member after member, in the memory of one window. What stands behind the last member and
/// is none (gzip(1) calls it trailing garbage) is passed over. The bytes of a file are anybody's:
/// whatever they are, reading ends, with the text that came before the damage. One thread.
///
/// Boost.Beast's decompressor, which is a header: the agent is one static file, and shall hold no
/// copy of a library of the system.
class GzipStream {
 public:
  /// From the file's first byte on; `packed` stays the caller's, and its position is not moved.
  explicit GzipStream(int packed) : packed_(packed) {}

  /// Up to `size` bytes of text; 0 at its end. Errors: kind retry (no memory), or what read(2)
  /// says.
  [[nodiscard]] Result<std::size_t> read(char* to, std::size_t size);
  /// Why the text ends where it does; "" if that is its true end, or none was reached yet.
  [[nodiscard]] const std::string& damage() const { return damage_; }

 private:
  enum class Part { header, body, trailer, end };

  /// Reads on from the file; false at its end.
  [[nodiscard]] Result<bool> fill();
  [[nodiscard]] Result<std::optional<unsigned char>> next();
  /// The next `count` (at most 4) bytes as a number, the lowest first; nothing at the file's end.
  [[nodiscard]] Result<std::optional<std::uint32_t>> number(unsigned count);
  /// Passes over bytes; false at the file's end.
  [[nodiscard]] Result<bool> skip(std::uint32_t count);
  /// Passes over a text and the NUL at its end; false at the file's end.
  [[nodiscard]] Result<bool> skip_text();
  [[nodiscard]] Result<> read_header();
  /// The optional fields; false if the file ends in them.
  [[nodiscard]] Result<bool> skip_fields(unsigned flags);
  [[nodiscard]] Result<std::size_t> read_body(char* to, std::size_t size);
  [[nodiscard]] Result<> read_trailer();
  void end_with(const char* damage);

  static constexpr std::size_t kInput = std::size_t{16} << 10;

  const int packed_;
  std::uint64_t offset_ = 0;  // of the file, behind `input_`
  std::array<unsigned char, kInput> input_{};
  std::size_t begin_ = 0, end_ = 0;  // what of `input_` is not used yet
  Part part_ = Part::header;
  bool first_ = true;  // no member was read yet
  boost::beast::zlib::inflate_stream inflate_;
  std::uint32_t crc_ = 0;   // of the member's text so far
  std::uint32_t size_ = 0;  // the same, modulo 2^32
  std::string damage_;
};

}  // namespace caravel::tail
