// Which line of a CSV is a header, and which of its fields goes into which column.
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace caravel::formatter {

/// The columns of one CSV, and the header that was seen last. A header may name them in another
/// order, in other letter case, and with blanks around the names.
class CsvHeader {
 public:
  /// `takes_more`: columns that are not among `names` are gathered, and any of `names` may be
  /// missing.
  CsvHeader(std::vector<std::string> names, bool takes_more);

  enum class Kind {
    none,    // a line of data
    header,  // places() is now of this header
    wrong,   // a header with other columns: see difference()
  };

  /// What this line is. A line that names each column once is a header, and one that names two
  /// columns or more, and more than half of its fields so, is meant to be one. `must_be`: it is one
  /// whatever it holds.
  Kind look(const std::vector<std::string_view>& fields, bool must_be);

  /// Whether a field may name a column, by its first bytes: false for nearly every value, and never
  /// for a name. `field` may stand between quotes, in which a quote is doubled.
  [[nodiscard]] bool may_name(std::string_view field, char quote) const {
    if (!field.empty() && field.front() == quote) {
      field.remove_prefix(1);
      if (field.size() == 1) field = {};  // the closing quote
      if (!field.empty() && field.front() == quote) return true;
    }
    if (field.empty()) return is_name_empty_;
    return beginnings_[pair_of(field.front(), field.size() > 1 ? field[1] : '\0')];
  }

  /// Whether a field that begins with this byte may name a column: asked first, since it is
  /// quicker.
  [[nodiscard]] bool may_begin_name(char first) const {
    return is_name_empty_ || first_bytes_[static_cast<unsigned char>(first)];
  }

  static constexpr std::size_t kMore = ~std::size_t{0};
  /// For each field of a line, the column that it goes to; or kMore.
  [[nodiscard]] const std::vector<std::size_t>& places() const { return places_; }
  /// Whether each field goes to the column of its own number.
  [[nodiscard]] bool in_order() const { return in_order_; }
  /// The names of the last header, as it writes them.
  [[nodiscard]] const std::vector<std::string>& written() const { return written_; }
  /// Of a wrong header: `columns it has and the format does not name: …; missing: …`.
  [[nodiscard]] const std::string& difference() const { return difference_; }

 private:
  /// The column that field `i` of a line names.
  [[nodiscard]] std::optional<std::size_t> column_of(std::string_view field, std::size_t i) const;
  void describe_difference(const std::vector<std::string_view>& fields);

  std::vector<std::string> names_;
  std::vector<std::string> folded_;  // the same, as they are compared
  std::unordered_map<std::string, std::size_t> by_name_;
  static constexpr std::size_t kPairs = std::size_t{1} << 16;
  static std::size_t pair_of(char first, char second) {
    return std::size_t{static_cast<unsigned char>(first)} * 256 +
           static_cast<unsigned char>(second);
  }
  /// Marks what a field begins with that names the column `name`, which is folded.
  void mark_beginnings(std::string_view name);

  std::bitset<kPairs> beginnings_;  // the first two bytes of what may name a column
  std::array<bool, 256> first_bytes_ = {};
  bool is_name_empty_ = false;
  bool takes_more_;
  std::vector<std::size_t> places_;
  bool in_order_ = true;
  std::vector<std::string> written_;
  std::string difference_;
};

}  // namespace caravel::formatter
