// A directory of its own for a test, gone when the test is over.
#pragma once

#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <gtest/gtest.h>

namespace caravel::test {

/// Names are relative to the directory. Every failure throws: the test is broken, not the code.
class TempDir {
 public:
  explicit TempDir(const std::string& parent = ::testing::TempDir()) {
    path_ = (std::filesystem::path(parent) / "caravel-test-XXXXXX").string();
    if (::mkdtemp(path_.data()) == nullptr) {
      throw std::system_error(errno, std::generic_category(), "mkdtemp " + path_);
    }
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string path(std::string_view name) const {
    return (std::filesystem::path(path_) / name).string();
  }

  /// Makes or overwrites a file, and the directories on its way. Returns its path.
  std::string write_file(std::string_view name, std::string_view content) const {
    const std::string full = path(name);
    std::filesystem::create_directories(std::filesystem::path(full).parent_path());
    std::ofstream out(full, std::ios::binary | std::ios::trunc);
    out << content;
    out.close();
    if (!out) throw std::runtime_error("cannot write " + full);
    return full;
  }
  [[nodiscard]] std::string read_file(std::string_view name) const {
    std::ifstream in(path(name), std::ios::binary);
    if (!in) throw std::runtime_error("cannot read " + path(name));
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::string make_dir(std::string_view name) const {
    std::filesystem::create_directories(path(name));
    return path(name);
  }
  [[nodiscard]] bool exists(std::string_view name) const {
    return std::filesystem::exists(std::filesystem::symlink_status(path(name)));
  }
  /// The names in a directory, sorted.
  [[nodiscard]] std::vector<std::string> list(std::string_view name = "") const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(path(name))) {
      names.push_back(entry.path().filename().string());
    }
    std::ranges::sort(names);
    return names;
  }
  [[nodiscard]] unsigned mode(std::string_view name) const {
    struct stat status;
    if (::lstat(path(name).c_str(), &status) != 0) {
      throw std::system_error(errno, std::generic_category(), path(name));
    }
    return status.st_mode & 07777U;
  }

 private:
  std::string path_;
};

}  // namespace caravel::test
