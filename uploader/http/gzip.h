// Packing of request bodies.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace caravel::uploader {

/// `bytes` as one gzip member (RFC 1952), packed for speed. Nothing if there is no memory for it.
[[nodiscard]] std::optional<std::string> gzip(std::string_view bytes);

}  // namespace caravel::uploader
