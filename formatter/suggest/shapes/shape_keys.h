// What chunks are, as numbers: equal ones for chunks that are taken apart alike.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "formatter/suggest/shapes/tokens.h"

namespace caravel::formatter {

/// The keys of the chunks of many lines. Two chunks have the same key if they have parts of the
/// same types, and the same fixed text between them.
class ShapeKeys {
 public:
  /// Makes one word of each chunk in `lines` that only looked as if it began with a name.
  /// `lines` must outlive it.
  explicit ShapeKeys(std::vector<TokenLine>& lines);

  /// One key for each chunk, and one more if the line has chunks that were not looked at.
  [[nodiscard]] const std::vector<std::size_t>& of(std::size_t line) const { return keys_[line]; }
  [[nodiscard]] const Chunk& chunk(std::size_t line, std::size_t column) const {
    return lines_[line].chunks[column];
  }
  [[nodiscard]] bool has_chunk(std::size_t line, std::size_t column) const {
    return column < lines_[line].chunks.size();
  }

  /// The key of a word of which nothing is known.
  static constexpr std::size_t kPlainWord = 0;
  /// The key of a dash between values.
  static constexpr std::size_t kDash = 1;
  /// Whether chunks of that key end in a colon: "sshd[17]:", "kernel:".
  [[nodiscard]] bool ends_in_colon(std::size_t key) const { return colons_.contains(key); }

 private:
  std::size_t number_of(const std::string& text);

  const std::vector<TokenLine>& lines_;
  std::unordered_map<std::string, std::size_t> numbers_;
  std::set<std::size_t> colons_;
  std::vector<std::vector<std::size_t>> keys_;
};

}  // namespace caravel::formatter
