#include "watcher/config/serve.h"

#include <arpa/inet.h>
#include <sys/un.h>

#include <charconv>
#include <cstring>

#include <fmt/format.h>

#include "watcher/config/sections.h"

namespace caravel::watcher {
namespace {

/// The number behind the last colon.
Result<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, status] = std::from_chars(text.data(), end, port);
  if (text.empty() || status != std::errc{} || stop != end) {
    return fail(ErrorKind::usage, fmt::format("'{}' is no port from 0 to 65535", text));
  }
  return port;
}

bool is_address(int family, const std::string& text) {
  unsigned char bytes[sizeof(in6_addr)];
  return ::inet_pton(family, text.c_str(), bytes) == 1;
}

}  // namespace

bool ListenPlace::is_local() const {
  return is_unix() || address == "::1" || address.starts_with("127.");
}

Result<ListenPlace> parse_listen(std::string_view text, const std::string& base) {
  constexpr std::string_view kUnix = "unix:";
  ListenPlace place;
  if (text.starts_with(kUnix)) {
    if (text.size() == kUnix.size()) return fail(ErrorKind::usage, "unix: names no path");
    place.address.clear();
    place.port = 0;
    place.path = resolve_path(std::string(text.substr(kUnix.size())), base);
    // With the NUL at its end (unix(7)).
    if (place.path.size() >= sizeof(sockaddr_un::sun_path)) {
      return fail(ErrorKind::usage, fmt::format("{}: longer than the {} bytes that the path of a "
                                                "Unix socket may have",
                                                place.path, sizeof(sockaddr_un::sun_path) - 1));
    }
    return place;
  }
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    return fail(ErrorKind::usage, fmt::format("'{}' is neither ADDRESS:PORT nor unix:PATH", text));
  }
  CARAVEL_ASSIGN_OR_RETURN(place.port, parse_port(text.substr(colon + 1)));
  place.address = std::string(text.substr(0, colon));
  if (place.address == "localhost") place.address = "127.0.0.1";
  if (place.address.starts_with('[') && place.address.ends_with(']')) {
    place.address = place.address.substr(1, place.address.size() - 2);
    if (is_address(AF_INET6, place.address)) return place;
  } else if (is_address(AF_INET, place.address)) {
    return place;
  }
  return fail(ErrorKind::usage,
              fmt::format("'{}' is no numeric address: 127.0.0.1, [::1], or 0.0.0.0 for all",
                          text.substr(0, colon)));
}

std::string text_of(const ListenPlace& place) {
  if (place.is_unix()) return "unix:" + place.path;
  const bool v6 = place.address.find(':') != std::string::npos;
  return fmt::format("http://{}{}{}:{}", v6 ? "[" : "", place.address, v6 ? "]" : "", place.port);
}

std::vector<std::string> serve_keys() {
  return keys_of([](SectionReader& reader) {
    std::string unused;
    (void)reader.node("listen");
    reader.path("token_file", unused, "/");
    reader.path("tokens_file", unused, "/");
  });
}

Result<> read_serve(const YamlNode& node, const std::string& base, ServeConfig& serve) {
  if (!node.exists()) return {};
  CARAVEL_TRY(node.expect_map());
  SectionReader reader(node);
  const YamlNode listen = reader.node("listen");
  reader.path("token_file", serve.token_file, base);
  reader.path("tokens_file", serve.tokens_file, base);
  CARAVEL_TRY(reader.finish());
  if (listen.exists()) {
    CARAVEL_ASSIGN_OR_RETURN(const auto text, listen.as_string());
    auto place = parse_listen(text, base);
    if (!place) return listen.error(place.error().message);
    serve.listen = *std::move(place);
  }
  // What is behind it names files, hosts and errors: it is not for everybody who has a network.
  if (!serve.listen.is_local() && serve.token_file.empty() && serve.tokens_file.empty()) {
    return listen.error(
        fmt::format("{} can be reached from other hosts: say token_file: FILE too, with a token "
                    "that everybody must show (or tokens_file, for several), or listen at "
                    "127.0.0.1",
                    text_of(serve.listen)));
  }
  return {};
}

}  // namespace caravel::watcher
