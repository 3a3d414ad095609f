// A directory of its own for one test, gone with it.
#pragma once

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace caravel::testing_support {

class Folder {
 public:
  Folder() {
    std::string pattern = std::filesystem::temp_directory_path() / "caravel-test-XXXXXX";
    path_ = ::mkdtemp(pattern.data());
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }

  /// Writes a file with this mode; returns its path.
  std::string write(const std::string& name, const std::string& content, unsigned mode = 0600) {
    const std::string path = *this / name;
    std::ofstream(path, std::ios::binary) << content;
    ::chmod(path.c_str(), mode);
    return path;
  }

 private:
  std::string path_;
};

}  // namespace caravel::testing_support
