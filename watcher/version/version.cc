#include "watcher/version/version.h"

#include <curl/curl.h>
#include <openssl/crypto.h>
#include <spdlog/version.h>
#include <sqlite3.h>
#include <xxhash.h>
#include <zlib.h>
#include <zstd.h>

#include <fmt/format.h>
#include <boost/version.hpp>

#include "base/words/commit.h"

namespace caravel::watcher {

std::string version_text() {
  const std::string commit = *kCommit == '\0' ? "" : fmt::format(", commit {}", kCommit);
  // Asked of the libraries themselves where they can tell: they may be newer than what the program
  // was compiled with.
  const unsigned xxhash = XXH_versionNumber();
  return fmt::format("caravel " CARAVEL_VERSION
                     "{}\n"
                     "Libraries: libcurl {}, OpenSSL {}, SQLite {}, zlib {}, zstd {},\n"
                     "xxHash {}.{}.{}, fmt {}.{}.{}, spdlog {}.{}.{}, Boost {}.{}.{}\n",
                     commit, curl_version_info(CURLVERSION_NOW)->version,
                     OpenSSL_version(OPENSSL_VERSION_STRING), sqlite3_libversion(), zlibVersion(),
                     ZSTD_versionString(), xxhash / 10000, xxhash / 100 % 100, xxhash % 100,
                     FMT_VERSION / 10000, FMT_VERSION / 100 % 100, FMT_VERSION % 100,
                     SPDLOG_VER_MAJOR, SPDLOG_VER_MINOR, SPDLOG_VER_PATCH, BOOST_VERSION / 100000,
                     BOOST_VERSION / 100 % 1000, BOOST_VERSION % 100);
}

}  // namespace caravel::watcher
