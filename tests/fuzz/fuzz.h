// What the fuzz targets share.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "base/file.h"

namespace caravel::fuzz {

/// Ends the run: libFuzzer keeps the input that led here.
inline void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

/// A file in memory, at its beginning.
inline UniqueFd MemoryFile(std::string_view content = {}) {
  UniqueFd fd(::memfd_create("fuzz", MFD_CLOEXEC));
  Require(static_cast<bool>(fd), "memfd_create");
  Require(write_all(fd.get(), content).has_value(), "write");
  Require(::lseek(fd.get(), 0, SEEK_SET) == 0, "lseek");
  return fd;
}

}  // namespace caravel::fuzz
