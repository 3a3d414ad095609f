// Packing of request bodies.
#pragma once

#include <string>
#include <string_view>

namespace caravel::uploader {

/// `bytes` as one gzip member (RFC 1952), packed for speed.
[[nodiscard]] std::string gzip(std::string_view bytes);

}  // namespace caravel::uploader
