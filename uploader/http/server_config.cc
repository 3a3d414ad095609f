#include "uploader/http/server_config.h"

#include <unistd.h>

#include <cerrno>
#include <utility>

#include <fmt/format.h>

#include "base/yaml_section.h"
#include "uploader/credentials.h"
#include "uploader/http/url.h"

namespace caravel::uploader {
namespace {

/// The user, and where the password comes from: a file or ~/.netrc, never both. Warns if the
/// password would cross a network.
Result<> read_login(const StoreSection& section, ServerConfig& server) {
  CurlOptions& client = server.client;
  if (client.use_netrc && section.node["password_file"].exists()) {
    return section.node["password_file"].error(
        "netrc: true is there too; only one of them can hold the password");
  }
  if (client.use_netrc || !client.user.empty()) {
    // Basic authentication (RFC 7617) sends the password as base64, which hides nothing.
    if (server.url.starts_with("http://") && !is_loopback(server.url)) {
      section.warnings.push_back(
          fmt::format("{}: the password goes over the network unencrypted (http://); use https://",
                      section.node["url"].place()));
    }
  }
  // libcurl reads ~/.netrc itself, with each request.
  client.password_from = "~/.netrc";
  if (client.use_netrc) return {};
  CARAVEL_ASSIGN_OR_RETURN(auto password, read_password(section, client.user, "netrc: true"));
  client.password = std::move(password.text);
  client.password_from = std::move(password.file);
  if (!client.password_from.empty()) {
    client.reread_password = [file = client.password_from] { return reread_password(file); };
  }
  return {};
}

}  // namespace

std::vector<std::string> server_keys() {
  return {"url", "user", "password_file", "netrc", "ca_file", "timeout"};
}

Result<ServerConfig> read_server_config(const StoreSection& section) {
  ServerConfig server;
  CurlOptions& client = server.client;
  SectionReader reader(section.node);
  if (!reader.has("url")) reader.fail_at("url", "missing; like https://couch.example.org:6984");
  reader.text("url", server.url);
  if (reader.is_good("url")) {
    reader.check("url", check_server_url(section.node["url"], server.url));
  }
  reader.text("user", client.user);
  reader.flag("netrc", client.use_netrc);
  reader.path("ca_file", client.ca_file, section.folder);
  reader.duration("timeout", client.timeout, std::chrono::seconds(1));
  CARAVEL_TRY(reader.result());
  CARAVEL_TRY(read_login(section, server));
  // Here and not with the first request: a wrong path is a mistake of the configuration.
  if (section.secrets && !client.ca_file.empty() && ::access(client.ca_file.c_str(), R_OK) != 0) {
    return section.node["ca_file"].error(system_error(client.ca_file, errno).message);
  }
  return server;
}

}  // namespace caravel::uploader
