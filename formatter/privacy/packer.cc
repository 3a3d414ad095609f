#include "formatter/privacy/packer.h"

#include <string>
#include <utility>

#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>

namespace caravel::formatter {
namespace {

/// What is gathered before it is packed, and how much of the packed bytes is taken at a time.
constexpr std::size_t kChunk = 128 * 1024;
/// The levels of gzip(1) and zstd(1): the copy of what a sender packed takes about as much room.
constexpr int kGzipLevel = 6;
constexpr int kZstdLevel = 3;

}  // namespace

class Packer::Stream {
 public:
  explicit Stream(Output& output) : output_(output) {}
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  Stream(Stream&&) = delete;
  Stream& operator=(Stream&&) = delete;
  virtual ~Stream() = default;
  virtual Result<> add(std::string_view bytes, bool last) = 0;

 protected:
  Result<> put(std::string_view bytes) {
    output_.append(bytes);
    output_.settle();
    return output_.status();
  }

 private:
  Output& output_;
};

class Packer::Plain : public Stream {
 public:
  using Stream::Stream;
  Result<> add(std::string_view bytes, bool /*last*/) override { return put(bytes); }
};

class Packer::Gzip : public Stream {
 public:
  explicit Gzip(Output& output) : Stream(output), packed_(kChunk, '\0') {
    constexpr int kGzipHeader = 16;  // zlib.h, deflateInit2
    constexpr int kMemory = 8;       // zlib's default
    ready_ = deflateInit2(&stream_, kGzipLevel, Z_DEFLATED, MAX_WBITS + kGzipHeader, kMemory,
                          Z_DEFAULT_STRATEGY) == Z_OK;
  }
  ~Gzip() override { deflateEnd(&stream_); }
  Gzip(const Gzip&) = delete;
  Gzip& operator=(const Gzip&) = delete;
  Gzip(Gzip&&) = delete;
  Gzip& operator=(Gzip&&) = delete;

  Result<> add(std::string_view bytes, bool last) override {
    if (!ready_) return fail(ErrorKind::retry, "gzip: out of memory");
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream_.avail_in = static_cast<uInt>(bytes.size());
    for (;;) {
      stream_.next_out = reinterpret_cast<Bytef*>(packed_.data());
      stream_.avail_out = static_cast<uInt>(packed_.size());
      const int status = deflate(&stream_, last ? Z_FINISH : Z_NO_FLUSH);
      CARAVEL_TRY(put({packed_.data(), packed_.size() - stream_.avail_out}));
      if (status == Z_STREAM_END || (!last && stream_.avail_out > 0)) return {};
      if (status != Z_OK) return fail(ErrorKind::retry, fmt::format("gzip: error {}", status));
    }
  }

 private:
  std::string packed_;
  z_stream stream_{};
  bool ready_ = false;
};

class Packer::Zstd : public Stream {
 public:
  explicit Zstd(Output& output)
      : Stream(output), packed_(kChunk, '\0'), context_(ZSTD_createCCtx()) {
    if (context_ == nullptr) return;
    ZSTD_CCtx_setParameter(context_, ZSTD_c_compressionLevel, kZstdLevel);
    ZSTD_CCtx_setParameter(context_, ZSTD_c_checksumFlag, 1);  // as zstd(1) does
  }
  ~Zstd() override { ZSTD_freeCCtx(context_); }
  Zstd(const Zstd&) = delete;
  Zstd& operator=(const Zstd&) = delete;
  Zstd(Zstd&&) = delete;
  Zstd& operator=(Zstd&&) = delete;

  Result<> add(std::string_view bytes, bool last) override {
    if (context_ == nullptr) return fail(ErrorKind::retry, "zstd: out of memory");
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    for (;;) {
      ZSTD_outBuffer out{packed_.data(), packed_.size(), 0};
      const std::size_t left =
          ZSTD_compressStream2(context_, &out, &in, last ? ZSTD_e_end : ZSTD_e_continue);
      if (ZSTD_isError(left) != 0) {
        return fail(ErrorKind::retry, fmt::format("zstd: {}", ZSTD_getErrorName(left)));
      }
      CARAVEL_TRY(put({packed_.data(), out.pos}));
      if (last ? left == 0 : in.pos == in.size) return {};
    }
  }

 private:
  std::string packed_;
  ZSTD_CCtx* context_;
};

Packer::Packer(std::unique_ptr<Stream> stream) : stream_(std::move(stream)) {}
Packer::Packer(Packer&&) noexcept = default;
Packer& Packer::operator=(Packer&&) noexcept = default;
Packer::~Packer() = default;

Result<Packer> Packer::open(Input::Packing packing, Output& output) {
  switch (packing) {
    case Input::Packing::none:
      return Packer(std::make_unique<Plain>(output));
    case Input::Packing::gzip:
      return Packer(std::make_unique<Gzip>(output));
    case Input::Packing::zstd:
      return Packer(std::make_unique<Zstd>(output));
  }
  return fail(ErrorKind::fault, "unknown packing");
}

Result<> Packer::add(std::string_view bytes) { return stream_->add(bytes, false); }
Result<> Packer::finish() { return stream_->add("", true); }

}  // namespace caravel::formatter
