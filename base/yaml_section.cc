#include "base/yaml_section.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace caravel {
namespace {

/// A text that a system call or a message may carry: not empty, no NUL in it.
Result<std::string> text_of(const YamlNode& node) {
  CARAVEL_ASSIGN_OR_RETURN(auto text, node.as_string());
  if (text.empty() || text.find('\0') != std::string::npos) return node.error("must not be empty");
  return text;
}

}  // namespace

std::string resolve_path(const std::string& path, const std::string& base) {
  // By its text only: the path need not exist yet, and nothing is looked up on the disk. A symlink
  // in front of a ".." is therefore not followed.
  std::string out = (std::filesystem::path(base) / path).lexically_normal().string();
  // lexically_normal() keeps a "/" at the end. Without it one directory has one path, and paths can
  // be compared.
  while (out.size() > 1 && out.back() == '/') out.pop_back();
  return out;
}

template <class T, class Convert>
void SectionReader::read(const char* key, T& value, Convert convert) {
  const YamlNode given = node(key);
  if (!given.exists()) return;
  Result<T> converted = convert(given);
  if (converted) {
    value = std::move(*converted);
  } else {
    // The value keeps its default; finish() returns the error.
    check(key, tl::unexpected(std::move(converted).error()));
  }
}

void SectionReader::text(const char* key, std::string& value) { read(key, value, text_of); }

void SectionReader::flag(const char* key, bool& value) {
  read(key, value, [](const YamlNode& given) { return given.as_bool(); });
}

void SectionReader::duration(const char* key, std::chrono::milliseconds& value,
                             std::chrono::milliseconds least) {
  read(key, value, [&](const YamlNode& given) -> Result<std::chrono::milliseconds> {
    CARAVEL_ASSIGN_OR_RETURN(auto duration, given.as_duration());
    if (duration < least) return given.error(fmt::format("must be at least {}ms", least.count()));
    return duration;
  });
}

void SectionReader::size(const char* key, std::uint64_t& value, std::uint64_t least,
                         std::uint64_t most) {
  read(key, value, [&](const YamlNode& given) -> Result<std::uint64_t> {
    CARAVEL_ASSIGN_OR_RETURN(auto bytes, given.as_size());
    if (bytes < least || bytes > most) {
      return given.error(fmt::format("must be from {} to {} bytes", least, most));
    }
    return bytes;
  });
}

void SectionReader::count(const char* key, std::uint64_t& value, std::uint64_t least,
                          std::uint64_t most) {
  read(key, value, [&](const YamlNode& given) { return given.as_count(least, most); });
}

void SectionReader::path(const char* key, std::string& value, const std::string& base) {
  read(key, value, [&](const YamlNode& given) -> Result<std::string> {
    CARAVEL_ASSIGN_OR_RETURN(auto text, text_of(given));
    // Only a shell knows whose home "~" is; the service has none.
    if (text.front() == '~') return given.error("'~' means nothing here; write the whole path");
    return resolve_path(text, base);
  });
}

int SectionReader::choice_index(const char* key, const std::vector<std::string>& words) {
  // Stays -1 if the key is missing or wrong; choice() then leaves its value alone.
  int index = -1;
  read(key, index, [&](const YamlNode& given) -> Result<int> {
    CARAVEL_ASSIGN_OR_RETURN(auto word, text_of(given));
    const auto found = std::find(words.begin(), words.end(), word);
    if (found == words.end()) {
      return given.error(fmt::format("'{}' is not one of {}", word, fmt::join(words, ", ")));
    }
    return static_cast<int>(found - words.begin());
  });
  return index;
}

YamlNode SectionReader::node(const char* key) {
  if (std::find(asked_.begin(), asked_.end(), key) == asked_.end()) asked_.emplace_back(key);
  return node_[key];
}

void SectionReader::fail_at(const char* key, std::string_view what) {
  check(key, node(key).error(what));
}

void SectionReader::check(const char* key, Result<> result) {
  if (result) return;
  wrong_.emplace_back(key);
  errors_.add(std::move(result).error());
}

bool SectionReader::is_good(std::string_view key) const {
  return std::find(wrong_.begin(), wrong_.end(), key) == wrong_.end();
}

Result<> SectionReader::finish() const {
  Errors all;
  // "hrt:" alone is no map and is fine: all of its keys have their defaults.
  if (node_.exists()) all.add(node_.expect_keys(asked_));
  all.add(errors_.result());
  return all.result();
}

}  // namespace caravel
