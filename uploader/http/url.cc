#include "uploader/http/url.h"

#include "base/text.h"
#include "base/yaml.h"

namespace caravel::uploader {

std::string percent_encoded(std::string_view text) { return percent_encode(text, "-._~"); }

Result<> check_server_url(const YamlNode& node, std::string& url) {
  if (!url.starts_with("https://") && !url.starts_with("http://")) {
    return node.error("must begin with https:// or http://");
  }
  // Wherever it stands in the URL: what is before an '@' may be a password.
  if (url.find('@') != std::string::npos) {
    return node.error(
        "must not hold a user or a password (https://user:password@host); "
        "say user: NAME and password_file: FILE instead");
  }
  // A query may hold a token, and a fragment is never sent (RFC 3986, section 3.5). A blank would
  // end the address within the request line.
  if (url.find_first_of("?# \t\r\n") != std::string::npos) {
    return node.error("must not hold '?', '#' or blanks");
  }
  while (url.ends_with('/')) url.pop_back();
  if (url == "https:" || url == "http:") return node.error("names no host");
  return {};
}

bool is_loopback(std::string_view url) {
  std::string_view host = url.substr(url.find("://") + 3);
  host = host.substr(0, host.find('/'));
  if (host.starts_with("[::1]")) return true;
  // The whole name up to the port: localhost.example.org is somebody else.
  host = host.substr(0, host.find(':'));
  // All of 127.0.0.0/8 is this host (RFC 1122, section 3.2.1.3).
  // Digits and points only: 127.example.org is a name, and somebody else's.
  return host == "localhost" || (host.starts_with("127.") &&
                                 host.find_first_not_of("0123456789.") == std::string_view::npos);
}

}  // namespace caravel::uploader
