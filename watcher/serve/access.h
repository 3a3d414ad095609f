// Who may ask, and how: what is decided of a request before anybody looks at what it asks for.
// Values in, values out; requests are an enemy's.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "watcher/config/serve.h"

namespace caravel::watcher {

/// What a request said, as far as it counts.
struct RequestHead {
  std::string method{};
  std::string target{};   // as it came
  std::string host{};     // "" if it has none
  std::size_t hosts = 0;  // how many it has
  std::string authorization{};
  bool http_1_0 = false;  // or older: needs no host
  bool has_body = false;
};

/// Why a request is not answered, as a status code (RFC 9110, 15) and a sentence.
struct Refusal {
  unsigned status = 400;
  std::string why;
};

class Access {
 public:
  /// `token`: what everybody must show; "" = nobody has to.
  Access(const ListenPlace& place, std::string token);

  /// Nothing if the request may be answered. /healthz needs no token: it says nothing.
  [[nodiscard]] std::optional<Refusal> judge(const RequestHead& head) const;

  [[nodiscard]] bool needs_token() const { return !token_.empty(); }

 private:
  [[nodiscard]] bool shows_token(std::string_view authorization) const;

  std::string token_;
  /// A page of a stranger may lead its own name to 127.0.0.1 and ask us with a browser of this host
  /// (DNS rebinding). Such a request carries that name. With a token, the token is the answer to
  /// that; a Unix socket no browser can reach.
  bool only_local_hosts_;
};

/// The path of the target, without the query: "/metrics". "" if it is none (RFC 9112, 3.2).
[[nodiscard]] std::string_view path_of(std::string_view target);

/// Whether a Host header names this host by a name that no stranger can give it: "localhost",
/// 127.0.0.0/8 or [::1], with or without a port.
[[nodiscard]] bool is_local_host(std::string_view host);

/// The token in the file at `path`. Errors: kind usage; the file is missing, may be read by
/// everybody, or its first line is no token of kLeastToken printable characters. No error says any
/// of its content.
[[nodiscard]] Result<std::string> read_token(const std::string& path);

}  // namespace caravel::watcher
