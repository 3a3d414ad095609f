#include "formatter/input/unpack_errors.h"

#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

namespace caravel::formatter {

Error gzip_error(int status, const char* words) {
  // The machine's trouble, and not the file's: it must not cost the file its place.
  if (status == Z_MEM_ERROR) return {ErrorKind::retry, "gzip: out of memory"};
  return {ErrorKind::content,
          fmt::format("gzip data is damaged: {}", words != nullptr ? words : "unknown reason")};
}

Error zstd_error(std::size_t result) {
  switch (ZSTD_getErrorCode(result)) {
    case ZSTD_error_memory_allocation:
    case ZSTD_error_workSpace_tooSmall:
      return {ErrorKind::retry, "zstd: out of memory"};
    case ZSTD_error_frameParameter_windowTooLarge:
      return {ErrorKind::content,
              fmt::format("needs a zstd window of more than {} MiB, and that is the most: pack it "
                          "again without --long and --ultra, or unpack it",
                          (1 << kMaxWindowLog) >> 20)};
    default:
      return {ErrorKind::content,
              fmt::format("zstd data is damaged: {}", ZSTD_getErrorName(result))};
  }
}

}  // namespace caravel::formatter
