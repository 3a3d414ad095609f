#include "formatter/unpacked_size.h"

#include <fmt/format.h>

namespace caravel::formatter {

Result<> expect_unpacked_size(std::uint64_t unpacked, std::uint64_t packed,
                              const FormatRequest& request) {
  if (unpacked > request.max_unpacked) {
    return fail(ErrorKind::content,
                fmt::format("unpacks to more than {} bytes (max_unpacked): if it is to be loaded "
                            "all the same, raise max_unpacked and give it in again",
                            request.max_unpacked));
  }
  // Not a product, which could overflow.
  if (unpacked > kRatioCountsFrom && unpacked / request.max_ratio > packed) {
    return fail(ErrorKind::content,
                fmt::format("unpacks to more than {} times its size (max_ratio): if it is to be "
                            "loaded all the same, raise max_ratio and give it in again",
                            request.max_ratio));
  }
  return {};
}

}  // namespace caravel::formatter
