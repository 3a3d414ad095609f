// Packs text in memory, for tests.
#pragma once

#include <zlib.h>
#include <zstd.h>

#include <stdexcept>
#include <string>
#include <string_view>

namespace caravel::test {

inline std::string Gzip(std::string_view text) {
  z_stream stream{};
  if (deflateInit2(&stream, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::runtime_error("deflateInit2");
  }
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int status = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (status != Z_STREAM_END) throw std::runtime_error("deflate");
  return out;
}

/// With a checksum; a window of 2^`window_log` bytes is demanded if that is not 0.
inline std::string ZstdWithWindow(std::string_view text, int window_log) {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
  if (window_log != 0) {
    // A frame of unknown size keeps the window that it was told.
    ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window_log);
    ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
  }
  std::string out(ZSTD_compressBound(text.size()) + 64, '\0');
  ZSTD_inBuffer in{text.data(), text.size(), 0};
  ZSTD_outBuffer packed{out.data(), out.size(), 0};
  // Two calls: the size of what comes must not be known at the first.
  ZSTD_compressStream2(context, &packed, &in, ZSTD_e_continue);
  const std::size_t left = ZSTD_compressStream2(context, &packed, &in, ZSTD_e_end);
  ZSTD_freeCCtx(context);
  if (left != 0) throw std::runtime_error("zstd");
  out.resize(packed.pos);
  return out;
}

/// A frame that names a dictionary (RFC 8878, 3.1.1.1.3, Dictionary_ID). The text is stored and
/// does not refer to it, since the header alone decides.
inline std::string ZstdWithDictionary(std::string_view text) {
  if (text.size() > 0xff) throw std::runtime_error("zstd: too long for this");
  // One segment, its size in one byte, the number of the dictionary in one byte: 7.
  std::string out("\x28\xb5\x2f\xfd\x21\x07", 6);
  out.push_back(static_cast<char>(text.size()));
  const std::size_t block = (text.size() << 3) | 1;  // the last one, raw
  for (int i = 0; i < 3; ++i) out.push_back(static_cast<char>(block >> (8 * i)));
  return out.append(text);
}

inline std::string Zstd(std::string_view text) { return ZstdWithWindow(text, 0); }

}  // namespace caravel::test
