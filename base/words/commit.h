// Which commit the program was built of.
#pragma once

namespace caravel {

/// "5af2c1d0b1aa", with "-dirty" behind it if the sources had changes; "" outside of a repository.
/// Written by the build (etc/cmake/commit.cmake).
extern const char* const kCommit;

}  // namespace caravel
