#include "formatter/input/input.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include <fmt/format.h>
#include <openssl/evp.h>
#include <zlib.h>
#include <zstd.h>

#include "base/file.h"
#include "formatter/input/unpack_errors.h"

namespace caravel::formatter {
namespace {

/// How many bytes of a packed file are read at a time.
constexpr std::size_t kPackedChunk = 128 * 1024;

}  // namespace

/// One SHA-256 over bytes that come in pieces.
class Input::Digest {
 public:
  Digest() : context_(EVP_MD_CTX_new()) {
    EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr);
  }
  void update(const char* bytes, std::size_t size) {
    EVP_DigestUpdate(context_.get(), bytes, size);
  }
  [[nodiscard]] std::string finish() {
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    EVP_DigestFinal_ex(context_.get(), bytes, &size);
    return fmt::format("{:02x}", fmt::join(bytes, bytes + size, ""));
  }

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> context_;
};

/// The file itself: counts, digests, and stops at the fixed size.
class Input::Source {
 public:
  Source(UniqueFd fd, const Options& options)
      : fd_(std::move(fd)), fixed_size_(options.fixed_size) {
    if (options.digest) digest_ = std::make_unique<Digest>();
  }

  Result<std::size_t> read(char* out, std::size_t size) {
    if (!pushed_back_.empty()) {
      // What peek() took comes first. These bytes were counted and digested by peek() already.
      const std::size_t given = std::min(size, pushed_back_.size());
      std::memcpy(out, pushed_back_.data(), given);
      pushed_back_.erase(0, given);
      return given;
    }
    // The file may have grown since it was taken: those bytes belong to nobody's extract yet.
    if (fixed_size_ != 0) size = std::min<std::uint64_t>(size, fixed_size_ - bytes_);
    if (size == 0) return std::size_t{0};
    CARAVEL_ASSIGN_OR_RETURN(auto got, read_some(fd_.get(), out, size));
    // The bytes as they lie in the file: the digest must not depend on what unpacks them.
    if (digest_) digest_->update(out, got);
    bytes_ += got;
    return got;
  }

  /// The first bytes, which the next read() gives again.
  Result<std::string_view> peek(std::size_t size) {
    std::string head;
    while (head.size() < size) {
      char bytes[16];
      CARAVEL_ASSIGN_OR_RETURN(auto got, read(bytes, std::min(sizeof bytes, size - head.size())));
      if (got == 0) break;
      head.append(bytes, got);
    }
    // Kept, since a pipe cannot be rewound. The digest has seen these bytes already.
    pushed_back_ = std::move(head);
    return std::string_view(pushed_back_);
  }

  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  [[nodiscard]] std::uint64_t fixed_size() const { return fixed_size_; }

  std::string sha256() { return digest_ ? digest_->finish() : ""; }

 private:
  UniqueFd fd_;
  std::uint64_t fixed_size_;
  std::uint64_t bytes_ = 0;
  std::unique_ptr<Digest> digest_;
  std::string pushed_back_;
};

/// Unpacks the bytes of the source. read() gives at least one byte, and 0 only at the end.
class Input::Unpacker {
 public:
  explicit Unpacker(Source& source) : source_(source) {}
  virtual ~Unpacker() = default;
  virtual Result<std::size_t> read(char* out, std::size_t size) = 0;

 protected:
  Source& source_;
};

class Input::Plain : public Unpacker {
 public:
  using Unpacker::Unpacker;
  Result<std::size_t> read(char* out, std::size_t size) override { return source_.read(out, size); }
};

class Input::Gzip : public Unpacker {
 public:
  explicit Gzip(Source& source) : Unpacker(source), packed_(kPackedChunk, '\0') {
    constexpr int kGzipOnly = 16;  // zlib.h, inflateInit2: no zlib streams, no raw deflate
    ready_ = inflateInit2(&stream_, MAX_WBITS + kGzipOnly) == Z_OK;
  }
  ~Gzip() override { inflateEnd(&stream_); }

  Result<std::size_t> read(char* out, std::size_t size) override {
    if (!ready_) return fail(ErrorKind::retry, "gzip: out of memory");
    stream_.next_out = reinterpret_cast<Bytef*>(out);
    // zlib counts in 32 bits.
    stream_.avail_out = static_cast<uInt>(std::min<std::size_t>(size, 1 << 30));
    const uInt wanted = stream_.avail_out;
    // inflate() may take input and give nothing yet (a header, the beginning of a block). The
    // caller takes 0 for the end, so the loop goes on until there is a byte.
    while (stream_.avail_out == wanted && !finished_) {
      if (stream_.avail_in == 0) {
        CARAVEL_TRY(refill());
        if (stream_.avail_in == 0) {
          // Only between members may a file end: else its last lines are missing.
          if (!between_members_) return fail(ErrorKind::content, "gzip data is cut off");
          finished_ = true;
          break;
        }
      }
      if (between_members_) {
        // gzip(1) pads with zeros for tapes; another member may follow too (RFC 1952, 2.2).
        while (stream_.avail_in > 0 && *stream_.next_in == 0) {
          ++stream_.next_in;
          --stream_.avail_in;
        }
        if (stream_.avail_in == 0) continue;
        // Keeps the memory of the stream: a file of many small members allocates once.
        inflateReset(&stream_);
        between_members_ = false;
      }
      // Z_BUF_ERROR below only means that there was no input or no room (zlib.h), which the next
      // turn or the next call brings.
      const int status = inflate(&stream_, Z_NO_FLUSH);
      // zlib has checked the member's length and CRC-32 when it says this.
      if (status == Z_STREAM_END) {
        between_members_ = true;
      } else if (status != Z_OK && status != Z_BUF_ERROR) {
        return tl::unexpected(gzip_error(status, stream_.msg));
      }
    }
    return std::size_t{wanted - stream_.avail_out};
  }

 private:
  Result<> refill() {
    CARAVEL_ASSIGN_OR_RETURN(auto got, source_.read(packed_.data(), packed_.size()));
    stream_.next_in = reinterpret_cast<Bytef*>(packed_.data());
    stream_.avail_in = static_cast<uInt>(got);
    return {};
  }

  std::string packed_;
  z_stream stream_{};
  bool ready_ = false;
  bool between_members_ = false;
  bool finished_ = false;
};

class Input::Zstd : public Unpacker {
 public:
  Zstd(Source& source, std::uint64_t max_window)
      : Unpacker(source),
        packed_(kPackedChunk, '\0'),
        stream_(ZSTD_createDStream()),
        max_window_(std::bit_floor(std::clamp(max_window, kLeastWindow, kMostWindow))) {
    if (stream_ == nullptr) return;
    ZSTD_DCtx_setParameter(stream_, ZSTD_d_windowLogMax, std::countr_zero(max_window_));
  }
  ~Zstd() override { ZSTD_freeDStream(stream_); }

  Result<std::size_t> read(char* out, std::size_t size) override {
    if (stream_ == nullptr) return fail(ErrorKind::retry, "zstd: out of memory");
    // As with gzip, a turn may give nothing yet, and 0 would mean the end to the caller.
    ZSTD_outBuffer unpacked{out, size, 0};
    while (unpacked.pos == 0) {
      if (in_.pos == in_.size) {
        CARAVEL_ASSIGN_OR_RETURN(auto got, source_.read(packed_.data(), packed_.size()));
        in_ = {packed_.data(), got, 0};
        // Between frames a file may end; frames may follow one another (RFC 8878, 3.1).
        if (got == 0 && in_frame_ == 0) return std::size_t{0};
        ended_ = got == 0;
      }
      in_frame_ = ZSTD_decompressStream(stream_, &unpacked, &in_);
      if (ZSTD_isError(in_frame_) != 0) {
        return tl::unexpected(zstd_error(in_frame_, max_window_));
      }
      // At the end of the file the decoder may still hold output; if it gives none, it waits for
      // input that will not come.
      if (ended_ && unpacked.pos == 0) {
        if (in_frame_ == 0) return std::size_t{0};
        return fail(ErrorKind::content, "zstd data is cut off");
      }
    }
    return unpacked.pos;
  }

 private:
  std::string packed_;
  ZSTD_DStream* stream_;
  std::uint64_t max_window_;  // a power of two
  ZSTD_inBuffer in_{nullptr, 0, 0};
  std::size_t in_frame_ = 1;  // 0 between frames
  bool ended_ = false;
};

Input::Input() = default;
Input::Input(Input&&) noexcept = default;
Input& Input::operator=(Input&&) noexcept = default;
Input::~Input() = default;

Result<Input> Input::open(UniqueFd fd, const Options& options) {
  Input input;
  input.source_ = std::make_unique<Source>(std::move(fd), options);
  Source& source = *input.source_;
  // Four bytes are the longest magic number; that of gzip is ID1 and ID2 (RFC 1952, 2.3.1).
  CARAVEL_ASSIGN_OR_RETURN(auto head, source.peek(4));
  const bool gzip = head.substr(0, 2) == "\x1f\x8b";
  // A zstd file may begin with a skippable frame (RFC 8878, 3.1.2), as pzstd writes it.
  const bool skippable =
      head.size() == 4 && (head.front() & '\xf0') == '\x50' && head.substr(1) == "\x2a\x4d\x18";
  const bool zstd = head == "\x28\xb5\x2f\xfd" || skippable;
  // A name that lies is a file that was damaged or mixed up. An empty file is fine: a log that has
  // just been rotated.
  if (!head.empty() &&
      ((options.name.ends_with(".gz") && !gzip) || (options.name.ends_with(".zst") && !zstd))) {
    return fail(ErrorKind::content, fmt::format("is not {} data, whatever its name says",
                                                options.name.ends_with(".gz") ? "gzip" : "zstd"));
  }
  if (gzip) {
    input.unpacker_ = std::make_unique<Gzip>(source);
    input.packing_ = Packing::gzip;
  } else if (zstd) {
    input.unpacker_ = std::make_unique<Zstd>(source, options.max_window);
    input.packing_ = Packing::zstd;
  } else {
    input.unpacker_ = std::make_unique<Plain>(source);
  }
  // Of a plain file the two digests are the same; it is not hashed twice.
  if (input.packing_ != Packing::none && options.digest)
    input.unpacked_ = std::make_unique<Digest>();
  return input;
}

Result<std::size_t> Input::read(char* out, std::size_t size) {
  auto got = unpacker_->read(out, size);
  if (got && unpacked_) unpacked_->update(out, *got);
  return got;
}
std::uint64_t Input::packed_bytes() const { return source_->bytes(); }
std::uint64_t Input::packed_size() const {
  return std::max(source_->fixed_size(), source_->bytes());
}
std::uint64_t Input::known_size() const {
  return packing_ == Packing::none ? source_->fixed_size() : 0;
}
Input::Digests Input::digests() {
  Digests digests;
  digests.packed = source_->sha256();
  digests.unpacked = unpacked_ ? unpacked_->finish() : digests.packed;
  return digests;
}

}  // namespace caravel::formatter
