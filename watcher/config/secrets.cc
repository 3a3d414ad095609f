// Where a store's password comes from. Paths may show in messages; what is in them never does.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include <fmt/format.h>

#include "base/file.h"
#include "watcher/config/sections.h"

namespace caravel::watcher {
namespace {

constexpr std::size_t kMaxPasswordBytes = 4096;

/// The password in the file at `path`. `node` is the key to blame in errors and warnings.
Result<std::string> read_password(const YamlNode& node, const std::string& path,
                                  std::vector<std::string>& warnings) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    return node.error(system_error(path, errno).message);
  }
  // A FIFO would block the open, and a directory reads as nonsense.
  if (!S_ISREG(status.st_mode)) return node.error(fmt::format("{}: not a regular file", path));
  auto content = read_file(path, kMaxPasswordBytes);
  if (!content) return node.error(content.error().message);
  // Editors and `echo` end the line; that is no part of the password. Blanks may be part of it.
  if (content->ends_with('\n')) content->pop_back();
  if (content->ends_with('\r')) content->pop_back();
  if (content->empty()) return node.error(fmt::format("{}: empty", path));
  if ((status.st_mode & S_IROTH) != 0) {
    warnings.push_back(
        fmt::format("{}: {} can be read by everybody; chmod 0600 {}", node.place(), path, path));
  }
  return content;
}

/// Whether the URL leads to this host itself, so that a password passes no network.
bool is_loopback(const std::string& url) {
  std::string host = url.substr(url.find("://") + 3);
  host = host.substr(0, host.find('/'));
  if (host.starts_with("[::1]")) return true;
  host = host.substr(0, host.find(':'));
  return host == "localhost" || host.starts_with("127.");
}

}  // namespace

Result<> read_secrets(const YamlNode& store_node, const std::string& base,
                      const ConfigOptions& options, uploader::StoreConfig& store,
                      std::vector<std::string>& warnings) {
  const YamlNode node = store_node["password_file"];
  std::string password_file;
  SectionReader reader(store_node);
  reader.path("password_file", password_file, base);
  CARAVEL_TRY(reader.result());
  if (!password_file.empty() && store.use_netrc) {
    return node.error("netrc: true is there too; only one of them can hold the password");
  }
  if (!password_file.empty() && store.user.empty()) {
    return node.error("whose password? Say user: NAME too");
  }
  if (store.use_netrc || !store.user.empty()) {
    if (store.url.starts_with("http://") && !is_loopback(store.url)) {
      warnings.push_back(
          fmt::format("{}: the password goes over the network unencrypted (http://); use https://",
                      store_node["url"].place()));
    }
  }
  // From here on files are opened that only the service may read.
  if (!options.secrets) return {};

  if (!store.ca_file.empty() && ::access(store.ca_file.c_str(), R_OK) != 0) {
    return store_node["ca_file"].error(system_error(store.ca_file, errno).message);
  }
  if (store.user.empty() || store.use_netrc) return {};
  std::string path = password_file;
  if (path.empty() && !options.credentials_directory.empty()) {
    // systemd's copy of a file that only root can read: LoadCredential= in systemd.exec(5).
    path = fmt::format("{}/{}.password", options.credentials_directory, store.name);
    if (::access(path.c_str(), F_OK) != 0) path.clear();
  }
  if (path.empty()) {
    return store_node["user"].error(
        fmt::format("no password for '{}': say password_file: FILE or netrc: true, or give the "
                    "service a credential {}.password",
                    store.user, store.name));
  }
  CARAVEL_ASSIGN_OR_RETURN(
      auto password,
      read_password(password_file.empty() ? store_node["user"] : node, path, warnings));
  store.password = std::move(password);
  return {};
}

}  // namespace caravel::watcher
