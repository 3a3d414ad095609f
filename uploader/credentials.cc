#include "uploader/credentials.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include <fmt/format.h>

#include "base/file.h"
#include "base/yaml_section.h"

namespace caravel::uploader {
namespace {

// In bytes. A wrong path may lead to a log or a disk image, which must not fill the memory.
constexpr std::size_t kMaxPasswordBytes = 4096;

/// The password in the file at `path`. `node` is the key to blame in errors and warnings.
Result<std::string> read_password_file(const YamlNode& node, const std::string& path,
                                       std::vector<std::string>& warnings) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    return node.error(system_error(path, errno).message);
  }
  // A FIFO would block the open, and a directory reads as nonsense.
  if (!S_ISREG(status.st_mode)) return node.error(fmt::format("{}: not a regular file", path));
  auto content = read_file(path, kMaxPasswordBytes);
  if (!content) return node.error(content.error().message);
  // Editors and `echo` put a line end behind the password. Only one is cut off, and no blanks: they
  // may be part of the password.
  if (content->ends_with('\n')) content->pop_back();
  if (content->ends_with('\r')) content->pop_back();
  if (content->empty()) return node.error(fmt::format("{}: empty", path));
  if ((status.st_mode & S_IROTH) != 0) {
    warnings.push_back(
        fmt::format("{}: {} can be read by everybody; chmod 0600 {}", node.place(), path, path));
  }
  return content;
}

/// systemd's copy of a file that only root can read (LoadCredential= in systemd.exec(5)); "" if
/// there is none of this store's name.
std::string credential_file(const StoreSection& section) {
  if (section.credentials_directory.empty()) return {};
  std::string path = fmt::format("{}/{}.password", section.credentials_directory, section.name);
  return ::access(path.c_str(), F_OK) == 0 ? path : std::string();
}

}  // namespace

Result<std::string> read_password(const StoreSection& section, const std::string& user,
                                  std::string_view instead) {
  std::string path;
  SectionReader reader(section.node);
  reader.path("password_file", path, section.folder);
  CARAVEL_TRY(reader.result());
  if (user.empty()) {
    if (path.empty()) return std::string();
    return section.node["password_file"].error("whose password? Say user: NAME too");
  }
  // Commands that open no store must also work for users who may not read the file.
  if (!section.secrets) return std::string();
  // Errors point at the key that a person would have to change.
  const YamlNode node = section.node[path.empty() ? "user" : "password_file"];
  if (path.empty()) path = credential_file(section);
  if (!path.empty()) return read_password_file(node, path, section.warnings);
  return node.error(
      fmt::format("no password for '{}': say password_file: FILE{}{}, or give the service a "
                  "credential {}.password",
                  user, instead.empty() ? "" : " or ", instead, section.name));
}

}  // namespace caravel::uploader
