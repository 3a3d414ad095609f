// URLs as the configuration has them and as requests need them. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace caravel {
class YamlNode;
}

namespace caravel::uploader {

/// One segment of a path: all bytes but `[A-Za-z0-9._~-]` as %XX (RFC 3986, section 2.1).
[[nodiscard]] std::string percent_encoded(std::string_view text);

/// Checks the URL of a server, the value of `node`, and takes slashes off its end. URLs are shown
/// in documents' places, logs and the ledger: whatever could hold a secret is refused, and no
/// message repeats it. Errors: kind usage, at `node`.
[[nodiscard]] Result<> check_server_url(const YamlNode& node, std::string& url);

/// Does `url` name this very host, so that what is sent there crosses no network?
[[nodiscard]] bool is_loopback(std::string_view url);

}  // namespace caravel::uploader
