#include "formatter/input/unpack_errors.h"

#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/units.h"

namespace caravel::formatter {

Error gzip_error(int status, const char* words) {
  // The machine's trouble, and not the file's: it must not cost the file its place.
  if (status == Z_MEM_ERROR) return {ErrorKind::retry, "gzip: out of memory"};
  return {ErrorKind::content,
          fmt::format("gzip data is damaged: {}", words != nullptr ? words : "unknown reason")};
}

Error zstd_error(std::size_t result, std::uint64_t max_window) {
  switch (ZSTD_getErrorCode(result)) {
    case ZSTD_error_memory_allocation:
    case ZSTD_error_workSpace_tooSmall:
      return {ErrorKind::retry, "zstd: out of memory"};
    case ZSTD_error_frameParameter_windowTooLarge:
      return {ErrorKind::content,
              fmt::format("needs a zstd window of more than {} (max_window): raise max_window and "
                          "give it in again, or unpack it by hand (zstd -d --long=31)",
                          size_for_people(max_window))};
    // The frame's header has the number of a dictionary.
    case ZSTD_error_dictionary_wrong:
      return {ErrorKind::content,
              "needs the zstd dictionary that it was packed with, and only its sender has that: "
              "unpack it by hand (zstd -d -D DICTIONARY) and give the result in"};
    default:
      return {ErrorKind::content,
              fmt::format("zstd data is damaged: {}", ZSTD_getErrorName(result))};
  }
}

}  // namespace caravel::formatter
