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

/// The password in the file at `path`. `mode`: the file's, for a warning. Errors: kind usage, with
/// the path.
Result<std::string> password_in(const std::string& path, mode_t& mode) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return fail_with_errno(path, errno);
  // A FIFO would block the open, and a directory reads as nonsense.
  if (!S_ISREG(status.st_mode)) {
    return fail(ErrorKind::usage, fmt::format("{}: not a regular file", path));
  }
  mode = status.st_mode;
  CARAVEL_ASSIGN_OR_RETURN(auto content, read_file(path, kMaxPasswordBytes));
  // Editors and `echo` put a line end behind the password. Only one is cut off, and no blanks: they
  // may be part of the password.
  if (content.ends_with('\n')) content.pop_back();
  if (content.ends_with('\r')) content.pop_back();
  if (content.empty()) return fail(ErrorKind::usage, fmt::format("{}: empty", path));
  return content;
}

/// `node` is the key to blame in errors and warnings.
Result<Password> read_password_file(const YamlNode& node, const std::string& path,
                                    std::vector<std::string>& warnings) {
  mode_t mode = 0;
  auto content = password_in(path, mode);
  if (!content) return node.error(content.error().message);
  if ((mode & S_IROTH) != 0) {
    warnings.push_back(
        fmt::format("{}: {} can be read by everybody; chmod 0600 {}", node.place(), path, path));
  }
  return Password{*std::move(content), path};
}

/// systemd's copy of a file that only root can read (LoadCredential= in systemd.exec(5)); "" if
/// there is none of this store's name.
std::string credential_file(const StoreSection& section) {
  if (section.credentials_directory.empty()) return {};
  std::string path = fmt::format("{}/{}.password", section.credentials_directory, section.name);
  return ::access(path.c_str(), F_OK) == 0 ? path : std::string();
}

}  // namespace

bool has_credential(const StoreSection& section) { return !credential_file(section).empty(); }

Result<Password> read_password(const StoreSection& section, const std::string& user,
                               std::string_view instead) {
  std::string path;
  SectionReader reader(section.node);
  reader.path("password_file", path, section.folder);
  CARAVEL_TRY(reader.result());
  if (user.empty()) {
    if (path.empty()) return Password{};
    return section.node["password_file"].error("whose password? Say user: NAME too");
  }
  // Commands that open no store must also work for users who may not read the file.
  if (!section.secrets) return Password{};
  // Errors point at the key that a person would have to change.
  const YamlNode node = section.node[path.empty() ? "user" : "password_file"];
  if (path.empty()) path = credential_file(section);
  if (!path.empty()) return read_password_file(node, path, section.warnings);
  return node.error(
      fmt::format("no password for '{}': say password_file: FILE{}{}, or give the service a "
                  "credential {}.password",
                  user, instead.empty() ? "" : " or ", instead, section.name));
}

std::optional<std::string> reread_password(const std::string& file) {
  mode_t mode = 0;
  auto content = password_in(file, mode);
  if (!content) return {};
  return *std::move(content);
}

}  // namespace caravel::uploader
