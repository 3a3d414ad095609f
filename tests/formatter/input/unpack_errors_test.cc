#include "formatter/input/unpack_errors.h"

#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd_errors.h>

#include "formatter/input/input.h"

namespace caravel::formatter {
namespace {

/// As zstd returns a code (zstd_errors.h): negative, in a size_t.
std::size_t Code(ZSTD_ErrorCode code) { return static_cast<std::size_t>(0) - code; }

TEST(UnpackErrors, OnlyTheDataItselfIsAFaultOfTheFile) {
  const struct {
    Error error;
    ErrorKind kind;
    const char* message;
  } cases[] = {
      {gzip_error(Z_DATA_ERROR, "incorrect data check"), ErrorKind::content,
       "gzip data is damaged: incorrect data check"},
      {gzip_error(Z_NEED_DICT, nullptr), ErrorKind::content,
       "gzip data is damaged: unknown reason"},
      {gzip_error(Z_MEM_ERROR, "incorrect data check"), ErrorKind::retry, "gzip: out of memory"},
      {zstd_error(Code(ZSTD_error_corruption_detected), kDefaultWindow), ErrorKind::content,
       "zstd data is damaged: Data corruption detected"},
      {zstd_error(Code(ZSTD_error_memory_allocation), kDefaultWindow), ErrorKind::retry,
       "zstd: out of memory"},
      {zstd_error(Code(ZSTD_error_frameParameter_windowTooLarge), kDefaultWindow),
       ErrorKind::content,
       "needs a zstd window of more than 128.0 MiB (max_window): raise max_window and give it in "
       "again, or unpack it by hand (zstd -d --long=31)"},
      {zstd_error(Code(ZSTD_error_dictionary_wrong), kDefaultWindow), ErrorKind::content,
       "needs the zstd dictionary that it was packed with, and only its sender has that: unpack it "
       "by hand (zstd -d -D DICTIONARY) and give the result in"},
  };
  for (const auto& test : cases) {
    SCOPED_TRACE(test.message);
    EXPECT_EQ(test.error.kind, test.kind);
    EXPECT_EQ(test.error.message, test.message);
  }
}

}  // namespace
}  // namespace caravel::formatter
