#include "uploader/http/gzip.h"

#include <zlib.h>

namespace caravel::uploader {

std::optional<std::string> gzip(std::string_view bytes) {
  constexpr int kGzip = 16 + MAX_WBITS;  // zlib.h, deflateInit2: 16 added means a gzip header
  // zlib's own default for memLevel (zlib.h, deflateInit2).
  constexpr int kMemory = 8;
  constexpr int kLevel = 2;  // documents repeat themselves: more effort gains little
  z_stream stream{};
  if (deflateInit2(&stream, kLevel, Z_DEFLATED, kGzip, kMemory, Z_DEFAULT_STRATEGY) != Z_OK) {
    return {};
  }
  std::string out(deflateBound(&stream, static_cast<uLong>(bytes.size())), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  // One call is enough: the output has room for the worst case (zlib.h, deflateBound).
  const int ended = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (ended != Z_STREAM_END) return {};
  return out;
}

}  // namespace caravel::uploader
