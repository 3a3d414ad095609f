// What the errors of zlib and zstd mean for an extract.
#pragma once

#include <cstddef>

#include "base/error.h"

namespace caravel::formatter {

/// zstd windows up to 32 MiB (zstd -19 uses 8): each feed may need one at the same time, and a
/// larger one is mostly a file made to eat our memory.
inline constexpr int kMaxWindowLog = 25;

/// Of a status of inflate(3) that is neither Z_OK, Z_STREAM_END nor Z_BUF_ERROR; `words` is
/// z_stream::msg. Kind content if the data is damaged, retry if the memory was short.
[[nodiscard]] Error gzip_error(int status, const char* words);

/// Of a result for which ZSTD_isError() is true. Kind content if the data is damaged or wants too
/// large a window, retry if the memory was short.
[[nodiscard]] Error zstd_error(std::size_t result);

}  // namespace caravel::formatter
