#include "watcher/serve/access.h"

#include <arpa/inet.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <sys/stat.h>

#include <algorithm>
#include <sstream>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "base/file.h"

namespace caravel::watcher {
namespace {

/// ASCII only, whatever the locale.
bool equal_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

/// What stands behind "SCHEME " (RFC 9110, 11.4); nothing for another scheme.
std::optional<std::string_view> credentials_of(std::string_view authorization,
                                               std::string_view scheme) {
  const std::size_t blank = authorization.find(' ');
  if (blank == std::string_view::npos) return std::nullopt;
  if (!equal_ignoring_case(authorization.substr(0, blank), scheme)) return std::nullopt;
  std::string_view rest = authorization.substr(blank);
  while (rest.starts_with(' ')) rest.remove_prefix(1);
  return rest;
}

/// "" if it is no base64.
std::string decode_base64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0) return {};
  std::vector<unsigned char> bytes(text.size() / 4 * 3 + 1);
  const int size =
      ::EVP_DecodeBlock(bytes.data(), reinterpret_cast<const unsigned char*>(text.data()),
                        static_cast<int>(text.size()));
  if (size < 0) return {};
  std::string out(bytes.begin(), bytes.begin() + size);
  // The bytes that "=" stands for are decoded as NUL.
  while (text.ends_with('=') && !out.empty()) {
    text.remove_suffix(1);
    out.pop_back();
  }
  return out;
}

/// The content of a file that is not for everybody; errors begin with the key that names it.
Result<std::string> read_private_file(const std::string& key, const std::string& path,
                                      std::size_t most) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    Error error = system_error(fmt::format("{} {}", key, path), errno);
    error.kind = ErrorKind::usage;
    return tl::unexpected(std::move(error));
  }
  if (!S_ISREG(status.st_mode)) {
    return fail(ErrorKind::usage, fmt::format("{} {}: not a regular file", key, path));
  }
  if ((status.st_mode & S_IROTH) != 0) {
    return fail(ErrorKind::usage,
                fmt::format("{0} {1}: can be read by everybody; chmod 0600 {1}", key, path));
  }
  return read_file(path, most);
}

std::optional<unsigned> hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return std::nullopt;
}

/// Of exactly twice as many digits; nothing for any other text.
std::optional<TokenHash> parse_hash(std::string_view text) {
  TokenHash hash{};
  if (text.size() != 2 * hash.size()) return std::nullopt;
  for (std::size_t i = 0; i < hash.size(); ++i) {
    const auto high = hex_digit(text[2 * i]);
    const auto low = hex_digit(text[2 * i + 1]);
    if (!high || !low) return std::nullopt;
    hash[i] = static_cast<unsigned char>(*high * 16 + *low);
  }
  return hash;
}

bool is_token_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
}

}  // namespace

TokenHash hash_of_token(std::string_view token) {
  TokenHash hash{};
  static_assert(std::tuple_size_v<TokenHash> == SHA256_DIGEST_LENGTH);
  ::SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(), hash.data());
  return hash;
}

Access::Access(const ListenPlace& place, std::vector<TokenHash> tokens)
    : tokens_(std::move(tokens)), only_local_hosts_(tokens_.empty() && !place.is_unix()) {}

std::optional<Refusal> Access::judge(const RequestHead& head) const {
  if (head.has_body) return Refusal{413, "no request has a body here"};
  if (head.method != "GET" && head.method != "HEAD") {
    return Refusal{405, "only GET and HEAD: nothing can be changed here"};
  }
  if (head.hosts > 1 || (head.hosts == 0 && !head.http_1_0)) {
    return Refusal{400, "a request names one host (RFC 9112, 3.2)"};
  }
  if (path_of(head.target).empty()) return Refusal{400, "the target is no path"};
  if (only_local_hosts_ && head.hosts == 1 && !is_local_host(head.host)) {
    return Refusal{421,
                   "served as localhost only: ask for http://localhost or an address, or let "
                   "the proxy say Host: localhost"};
  }
  if (needs_token() && path_of(head.target) != "/healthz" && !shows_token(head.authorization)) {
    return Refusal{401, "a token is needed: Authorization: Bearer TOKEN, or as a password"};
  }
  return std::nullopt;
}

bool Access::shows_token(std::string_view authorization) const {
  if (const auto token = credentials_of(authorization, "bearer")) {
    return is_one_of_ours(*token);
  }
  // Browsers ask for a name and a password (RFC 7617); any name will do.
  const auto login = credentials_of(authorization, "basic");
  if (!login) return false;
  const std::string pair = decode_base64(*login);
  const std::size_t colon = pair.find(':');
  return colon != std::string::npos && is_one_of_ours(std::string_view(pair).substr(colon + 1));
}

bool Access::is_one_of_ours(std::string_view token) const {
  const TokenHash shown = hash_of_token(token);
  bool known = false;
  for (const TokenHash& ours : tokens_) {
    // Not the other way round: each of them is looked at.
    known = (::CRYPTO_memcmp(shown.data(), ours.data(), shown.size()) == 0) || known;
  }
  return known;
}

std::string_view path_of(std::string_view target) {
  if (!target.starts_with('/')) return {};
  return target.substr(0, target.find('?'));
}

bool is_local_host(std::string_view host) {
  // "[::1]:8099": the colons of an address stand in brackets.
  const std::size_t bracket = host.rfind(']');
  const std::size_t colon = host.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (colon != std::string_view::npos) {
    const std::string_view port = host.substr(colon + 1);
    if (!std::ranges::all_of(port, [](char c) { return c >= '0' && c <= '9'; })) return false;
    host = host.substr(0, colon);
  }
  if (equal_ignoring_case(host, "localhost") || host == "[::1]") return true;
  in_addr address{};
  // A name like "127.0.0.1.example.org" is no address.
  return host.starts_with("127.") && ::inet_pton(AF_INET, std::string(host).c_str(), &address) == 1;
}

Result<std::string> read_token(const std::string& path) {
  constexpr std::size_t kMost = 4096;
  CARAVEL_ASSIGN_OR_RETURN(std::string token, read_private_file("token_file", path, kMost));
  token = token.substr(0, token.find_first_of("\r\n"));
  const bool printable = std::ranges::all_of(token, [](char c) { return c > ' ' && c < '\x7f'; });
  if (token.size() < kLeastToken || !printable) {
    return fail(ErrorKind::usage,
                fmt::format("token_file {}: its first line is no token: at least {} printable "
                            "characters, no blank; make one with: openssl rand -base64 24",
                            path, kLeastToken));
  }
  return token;
}

Result<std::vector<TokenHash>> read_tokens(const std::string& path) {
  constexpr std::size_t kMost = 1 << 20;
  CARAVEL_ASSIGN_OR_RETURN(const std::string text, read_private_file("tokens_file", path, kMost));
  std::vector<TokenHash> hashes;
  std::istringstream lines(text);
  std::size_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    while (line.ends_with('\r') || line.ends_with(' ')) line.pop_back();
    if (line.empty() || line.starts_with('#')) continue;
    const std::size_t colon = line.find(':');
    const auto hash =
        colon == std::string::npos ? std::nullopt : parse_hash(line.substr(colon + 1));
    if (!hash || !is_token_name(line.substr(0, colon))) {
      return fail(ErrorKind::usage,
                  fmt::format("tokens_file {}:{}: is not NAME:HASH, with the SHA-256 of a token in "
                              "lower-case hex (printf %s TOKEN | sha256sum)",
                              path, number));
    }
    hashes.push_back(*hash);
  }
  if (hashes.empty()) {
    return fail(ErrorKind::usage, fmt::format("tokens_file {}: names no token", path));
  }
  return hashes;
}

}  // namespace caravel::watcher
