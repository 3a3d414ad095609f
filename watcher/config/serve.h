// The section `serve:` of the configuration: where the HTTP server listens, and who may ask it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace caravel::watcher {

/// An address and port, or the path of a Unix socket.
struct ListenPlace {
  std::string address = "127.0.0.1";  // numeric, IPv4 or IPv6; "" for a Unix socket
  std::uint16_t port = 8099;          // 0: one that is free
  std::string path{};                 // of the Unix socket, absolute; "" for an address

  [[nodiscard]] bool is_unix() const { return !path.empty(); }
  /// Only processes of this host can reach it: 127.0.0.0/8, ::1, a Unix socket.
  [[nodiscard]] bool is_local() const;
  bool operator==(const ListenPlace&) const = default;
};

/// "127.0.0.1:8099", "[::1]:8099", "localhost:8099", or "unix:/path" (made absolute with `base`).
/// Names of hosts are not looked up: what they mean may change. Errors: kind usage, without a
/// place.
[[nodiscard]] Result<ListenPlace> parse_listen(std::string_view text, const std::string& base);

/// "http://127.0.0.1:8099", "unix:/run/caravel.sock".
[[nodiscard]] std::string text_of(const ListenPlace& place);

/// The least length of a token, in bytes: 16 characters of base64 are 96 bits.
inline constexpr std::size_t kLeastToken = 16;

struct ServeConfig {
  ListenPlace listen{};
  /// The file with the token that everybody must show; "" = nobody has to, and then only a place
  /// that is_local() is served.
  std::string token_file{};
  /// The file with the hashes of several tokens, any of which will do; "" = there is none.
  std::string tokens_file{};
  bool operator==(const ServeConfig&) const = default;
};

}  // namespace caravel::watcher
