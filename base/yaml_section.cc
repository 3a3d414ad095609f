#include "base/yaml_section.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace caravel {

std::string resolve_path(const std::string& path, const std::string& base) {
  std::string out = (std::filesystem::path(base) / path).lexically_normal().string();
  while (out.size() > 1 && out.back() == '/') out.pop_back();
  return out;
}

void SectionReader::text(const char* key, std::string& value) {
  if (!ok() || !has(key)) return;
  auto read = node_[key].as_string();
  if (!read) {
    result_ = tl::unexpected(std::move(read).error());
  } else if (read->empty() || read->find('\0') != std::string::npos) {
    fail_at(key, "must not be empty");
  } else {
    value = std::move(*read);
  }
}

void SectionReader::flag(const char* key, bool& value) {
  if (!ok() || !has(key)) return;
  auto read = node_[key].as_bool();
  if (!read) {
    result_ = tl::unexpected(std::move(read).error());
  } else {
    value = *read;
  }
}

void SectionReader::duration(const char* key, std::chrono::milliseconds& value,
                             std::chrono::milliseconds least) {
  if (!ok() || !has(key)) return;
  auto read = node_[key].as_duration();
  if (!read) {
    result_ = tl::unexpected(std::move(read).error());
  } else if (*read < least) {
    fail_at(key, fmt::format("must be at least {}ms", least.count()));
  } else {
    value = *read;
  }
}

void SectionReader::size(const char* key, std::uint64_t& value, std::uint64_t least,
                         std::uint64_t most) {
  if (!ok() || !has(key)) return;
  auto read = node_[key].as_size();
  if (!read) {
    result_ = tl::unexpected(std::move(read).error());
  } else if (*read < least || *read > most) {
    fail_at(key, fmt::format("must be from {} to {} bytes", least, most));
  } else {
    value = *read;
  }
}

void SectionReader::count(const char* key, std::uint64_t& value, std::uint64_t least,
                          std::uint64_t most) {
  if (!ok() || !has(key)) return;
  auto read = node_[key].as_count(least, most);
  if (!read) {
    result_ = tl::unexpected(std::move(read).error());
  } else {
    value = *read;
  }
}

void SectionReader::path(const char* key, std::string& value, const std::string& base) {
  if (!ok() || !has(key)) return;
  text(key, value);
  if (!ok()) return;
  if (value.front() == '~') {
    fail_at(key, "'~' means nothing here; write the whole path");
  } else {
    value = resolve_path(value, base);
  }
}

int SectionReader::choice_index(const char* key, const std::vector<std::string>& words) {
  std::string word;
  text(key, word);
  if (!ok() || word.empty()) return -1;
  const auto found = std::find(words.begin(), words.end(), word);
  if (found != words.end()) return static_cast<int>(found - words.begin());
  fail_at(key, fmt::format("'{}' is not one of {}", word, fmt::join(words, ", ")));
  return -1;
}

void SectionReader::fail_at(const char* key, std::string_view what) {
  if (ok()) result_ = node_[key].error(what);
}

void SectionReader::check(Result<> result) {
  if (ok()) result_ = std::move(result);
}

}  // namespace caravel
