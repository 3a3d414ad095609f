// The bytes of an extract, unpacked: plain, gzip (RFC 1952) or zstd (RFC 8878).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/unique_fd.h"

namespace caravel::formatter {

/// zstd(1) unpacks windows up to the default without being asked, so that is what senders may
/// expect; the others are the bounds of RFC 8878 as zstd has them (ZSTD_d_windowLogMax).
inline constexpr std::uint64_t kLeastWindow = std::uint64_t{1} << 10;
inline constexpr std::uint64_t kDefaultWindow = std::uint64_t{128} << 20;
inline constexpr std::uint64_t kMostWindow = std::uint64_t{1} << 31;

/// Reads one extract front to back in constant memory. What it is packed with is told by its first
/// bytes. Those of gzip and of a zstd frame cannot begin valid UTF-8. Those of a skippable zstd
/// frame could ("P*M" and the control character 0x18), but no log is known to begin like this.
///
/// Errors: kind content if the packed data is damaged or cut off, wants a larger window than it may
/// have, or a dictionary; retry if the disk does not read.
class Input {
 public:
  enum class Packing { none, gzip, zstd };

  struct Options {
    /// Compute the SHA-256 of the bytes as they came (packed).
    bool digest = true;
    /// Read no further than this: the size when the extract was taken. 0 = to the end (a pipe).
    std::uint64_t fixed_size = 0;
    /// `name` ends in .gz or .zst: then anything else in it is damage. "" for a pipe.
    std::string_view name{};
    /// Bytes, from kLeastWindow to kMostWindow: what a zstd frame may want of memory for its
    /// window, that is for how far back it refers. Counts as the next lower power of two.
    std::uint64_t max_window = kDefaultWindow;
  };
  static Result<Input> open(UniqueFd fd, const Options& options);

  Input(Input&&) noexcept;
  Input& operator=(Input&&) noexcept;
  ~Input();

  /// Up to `size` unpacked bytes; 0 at the end.
  [[nodiscard]] Result<std::size_t> read(char* out, std::size_t size);

  /// What it came packed with.
  [[nodiscard]] Packing packing() const { return packing_; }
  /// Bytes of the file read so far, for progress.
  [[nodiscard]] std::uint64_t packed_bytes() const;
  /// Bytes of the whole file, as it came; without a fixed size, those that were read so far.
  [[nodiscard]] std::uint64_t packed_size() const;
  /// How many unpacked bytes there will be, where that is known before they are read; else 0.
  [[nodiscard]] std::uint64_t known_size() const;
  /// 64 hex digits over the file as it came, and over its unpacked bytes (the same, if it is not
  /// packed). Valid after read() returned 0, once.
  struct Digests {
    std::string packed;
    std::string unpacked;
  };
  [[nodiscard]] Digests digests();

 private:
  class Digest;
  class Source;
  class Unpacker;
  class Plain;
  class Gzip;
  class Zstd;

  Input();
  std::unique_ptr<Source> source_;
  std::unique_ptr<Unpacker> unpacker_;
  Packing packing_ = Packing::none;
  std::unique_ptr<Digest> unpacked_;  // only of what is packed
};

}  // namespace caravel::formatter
