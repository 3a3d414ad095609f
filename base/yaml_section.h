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
/// its value alone. A value that is wrong does too: its error is kept, and reading goes on, so that
/// a person hears of all at once. The reader remembers every key that it was asked for, so that no
/// list of the known keys is written by hand.
class SectionReader {
 public:
  /// `node` must outlive the reader.
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

  /// The value under `key`, for what none of the functions above can read.
  [[nodiscard]] YamlNode node(const char* key);
  [[nodiscard]] bool has(const char* key) { return node(key).exists(); }
  void fail_at(const char* key, std::string_view what);
  /// Keeps the error of a check of the value of `key`.
  void check(const char* key, Result<> result);
  /// Whether nothing was wrong with the value of `key`: a check of one that could not be read would
  /// mislead.
  [[nodiscard]] bool is_good(std::string_view key) const;
  /// All errors so far.
  [[nodiscard]] Result<> result() const { return errors_.result(); }

  /// When every key of the section was asked for: an error for each key that nobody asked for, with
  /// the nearest known one; then those of reading. Unknown keys come first because they are often
  /// the cause of the others: a misspelt key is also a missing one.
  [[nodiscard]] Result<> finish() const;
  /// The keys that were asked for, each once.
  [[nodiscard]] const std::vector<std::string>& asked() const { return asked_; }

 private:
  /// Reads `key`, if it is there. `convert` makes a Result<T> of its node.
  template <class T, class Convert>
  void read(const char* key, T& value, Convert convert);
  [[nodiscard]] int choice_index(const char* key, const std::vector<std::string>& words);

  const YamlNode& node_;
  std::vector<std::string> asked_;
  std::vector<std::string> wrong_;  // keys that have an error
  Errors errors_;
};

/// The keys that `read_keys` asks its reader for, found by letting it read an empty section.
template <class ReadKeys>
[[nodiscard]] std::vector<std::string> keys_of(ReadKeys read_keys) {
  const YamlNode nothing = YamlNode::parse("{}", "").value();
  SectionReader reader(nothing);
  read_keys(reader);
  return reader.asked();
}

/// `path` as it stands in the file -> absolute and normal (no "..", no "/" at the end).
[[nodiscard]] std::string resolve_path(const std::string& path, const std::string& base);

}  // namespace caravel
