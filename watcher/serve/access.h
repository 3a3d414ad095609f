// Who may ask, and how: what is decided of a request before anybody looks at what it asks for.
// Values in, values out; requests are an enemy's.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

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

/// SHA-256: what is kept of a token. A token is made by chance and long, so that nobody guesses one
/// from its hash, with salt or without.
using TokenHash = std::array<unsigned char, 32>;
[[nodiscard]] TokenHash hash_of_token(std::string_view token);

class Access {
 public:
  /// `tokens`: everybody must show one of them; none = nobody has to.
  Access(const ListenPlace& place, std::vector<TokenHash> tokens);

  /// Nothing if the request may be answered. /healthz needs no token: it says nothing.
  [[nodiscard]] std::optional<Refusal> judge(const RequestHead& head) const;

  [[nodiscard]] bool needs_token() const { return !tokens_.empty(); }

 private:
  [[nodiscard]] bool shows_token(std::string_view authorization) const;
  /// Compares all of them, each in a time that tells nothing of where it differs.
  [[nodiscard]] bool is_one_of_ours(std::string_view token) const;

  std::vector<TokenHash> tokens_;
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

/// The token in the file at `path` (token_file). Errors: kind usage; the file is missing, may be
/// read by everybody, or its first line is no token of kLeastToken printable characters. No error
/// says any of its content.
[[nodiscard]] Result<std::string> read_token(const std::string& path);

/// The hashes in the file at `path` (tokens_file), a line each: NAME:HASH, where NAME says whose
/// token it is ([A-Za-z0-9._-]) and HASH is the token's SHA-256 in lower-case hex. Blank lines and
/// lines that begin with # say nothing. At least one. Errors as for read_token(), with the number
/// of the line.
[[nodiscard]] Result<std::vector<TokenHash>> read_tokens(const std::string& path);

}  // namespace caravel::watcher
