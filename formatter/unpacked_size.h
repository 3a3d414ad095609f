// How large an extract may become.
#pragma once

#include <cstdint>

#include "base/error.h"
#include "formatter/formatter.h"

namespace caravel::formatter {

/// Whether `unpacked` bytes, of `packed` that came, are within the limits of `request`. A few KiB
/// can unpack to more than any disk holds. Errors: kind content.
[[nodiscard]] Result<> expect_unpacked_size(std::uint64_t unpacked, std::uint64_t packed,
                                            const FormatRequest& request);

}  // namespace caravel::formatter
