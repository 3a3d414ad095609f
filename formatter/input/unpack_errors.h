// What the errors of zlib and zstd mean for an extract.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/error.h"

namespace caravel::formatter {

/// Of a status of inflate(3) that is neither Z_OK, Z_STREAM_END nor Z_BUF_ERROR; `words` is
/// z_stream::msg. Kind content if the data is damaged, retry if the memory was short.
[[nodiscard]] Error gzip_error(int status, const char* words);

/// Of a result for which ZSTD_isError() is true; `max_window` is what the decoder was granted, in
/// bytes. Kind content if the data is damaged, or sound and not to be unpacked here: it wants a
/// larger window, or a dictionary. Retry if the memory was short.
[[nodiscard]] Error zstd_error(std::size_t result, std::uint64_t max_window);

}  // namespace caravel::formatter
