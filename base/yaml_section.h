// Keys of one map of a YAML file, read into values that hold their defaults.
#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/yaml.h"

namespace caravel {

/// Reads keys of one map into values that hold their defaults: a key that is missing or null leaves
/// its value alone. The first error is kept, and nothing is read after it. The node outlives it.
class SectionReader {
 public:
  explicit SectionReader(const YamlNode& node) : node_(node) {}

  void text(const char* key, std::string& value);  // "" is an error
  void flag(const char* key, bool& value);
  void duration(const char* key, std::chrono::milliseconds& value,
                std::chrono::milliseconds least = std::chrono::milliseconds::zero());
  void size(const char* key, std::uint64_t& value, std::uint64_t least, std::uint64_t most);
  void count(const char* key, std::uint64_t& value, std::uint64_t least, std::uint64_t most);
  /// Made absolute with `base`.
  void path(const char* key, std::string& value, const std::string& base);
  template <class T>
  void choice(const char* key, T& value, std::initializer_list<std::pair<const char*, T>> choices) {
    const int chosen = choice_index(key, [&] {
      std::vector<std::string> words;
      for (const auto& [word, unused] : choices) words.emplace_back(word);
      return words;
    }());
    if (chosen >= 0) value = choices.begin()[chosen].second;
  }

  [[nodiscard]] bool has(const char* key) const { return node_[key].exists(); }
  void fail_at(const char* key, std::string_view what);
  void check(Result<> result);
  [[nodiscard]] bool ok() const { return result_.has_value(); }
  [[nodiscard]] Result<> result() const { return result_; }

 private:
  [[nodiscard]] int choice_index(const char* key, const std::vector<std::string>& words);

  const YamlNode& node_;
  Result<> result_;
};

/// `path` as it stands in the file -> absolute and normal (no "..", no "/" at the end).
[[nodiscard]] std::string resolve_path(const std::string& path, const std::string& base);

}  // namespace caravel
