// The fields of a CSV record of one line, found without looking at any of them by itself.
//
//     7,"warm, dry","on"          the record, 64 bytes at a time
//     01000000000010000010        separators (and one more bit behind the record)
//     00100000000101000100 ...    quotes; inside of them separators do not count
//        │
//        ├── written()            7,"warm, dry",on: quotes that nothing needs are left out, all the
//        │                        rest stands as it is
//        └── fields()             7 │ "warm, dry" │ "on"
//
// What is not plain at once is left to split_csv() and append_csv_record() (formatter/rows/csv.h),
// and what is written here is what they would write: tests compare the two.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "formatter/rows/csv.h"

namespace caravel::formatter {

/// Keeps its memory from record to record.
class CsvSpans {
 public:
  /// False if the record is none of the plain ones: broken or open quotes, a CR inside, or in a
  /// dialect other than ours anything that ours would have to quote. `record` is one line, trimmed
  /// and without LF; kBehindLine bytes behind it are readable. It must outlive what is asked.
  [[nodiscard]] bool scan(std::string_view record, const CsvDialect& dialect);

  /// The same, in our own dialect, for a record whose end is to be found on the way: it ends ahead
  /// of a LF or CR LF. False also if there is another control character ahead of that, or a blank
  /// at one of its ends. kBehindLine bytes behind the LF are readable.
  [[nodiscard]] bool scan_ahead(const char* line);
  [[nodiscard]] std::string_view record() const { return record_; }
  [[nodiscard]] bool has_quotes() const { return has_quotes_; }

  /// How many fields the record has; at least one.
  [[nodiscard]] std::size_t count() const {
    if (count_ == 0) count_ = count_separators();
    return count_;
  }

  /// How many fields begin with a byte for which `marked` has 1, and not 0. Of an empty one that is
  /// the byte behind it. Counts the fields on the way.
  [[nodiscard]] std::size_t count_marked(const std::array<std::uint8_t, 256>& marked) const {
    std::size_t found = 0;
    std::size_t fields = 0;
    const char* from = record_.data();
    const char* behind = from + 1;
    for (std::size_t word = 0; word < words_; ++word, behind += 64) {
      for (std::uint64_t bits = separators_[word]; bits != 0; bits &= bits - 1) {
        found += marked[static_cast<unsigned char>(*from)];
        // Not std::countr_zero(), which asks whether there is a bit.
        from = behind + __builtin_ctzll(bits);
        ++fields;
      }
    }
    count_ = fields;
    return found;
  }

  /// The record in our own dialect: itself if it is so already, else in `scratch`.
  [[nodiscard]] std::string_view written(std::string& scratch) const;

  /// Gives the fields one after another, quotes still around them.
  class Fields {
   public:
    /// Not more often than count() says.
    [[nodiscard]] std::string_view next() {
      while (bits_ == 0) {
        bits_ = *++words_;
        base_ += 64;
      }
      const char* const end = base_ + std::countr_zero(bits_);
      bits_ &= bits_ - 1;
      const std::string_view field(from_, static_cast<std::size_t>(end - from_));
      from_ = end + 1;
      return field;
    }

   private:
    friend class CsvSpans;
    Fields(const char* begin, const std::uint64_t* words)
        : words_(words), bits_(*words), base_(begin), from_(begin) {}

    const std::uint64_t* words_;
    std::uint64_t bits_;
    const char* base_;
    const char* from_;
  };
  [[nodiscard]] Fields fields() const { return {record_.data(), separators_.data()}; }

 private:
  /// Fills the words of the record; false if it holds what makes it not plain.
  template <bool kOurs>
  bool index(const CsvDialect& dialect);
  /// Takes out the separators inside of quotes; false if the quotes are not sound.
  bool match_quotes();

  [[nodiscard]] std::size_t count_separators() const;
  /// Room for the words of a longer record.
  void make_room(std::size_t words);

  std::string_view record_;
  bool is_ours_ = true;
  bool has_quotes_ = false;
  mutable std::size_t count_ = 0;          // 0: not counted yet
  std::size_t words_ = 0;                  // of the record, 64 bytes each
  std::size_t room_ = 0;                   // for so many of them
  std::vector<std::uint64_t> separators_;  // and a bit for the record's end
  std::vector<std::uint64_t> quotes_;
};

/// Whether CSV puts quotes around this text: it holds a comma, a quote, CR or LF. At least 16 bytes
/// behind it must be readable.
[[nodiscard]] bool wants_csv_quotes(std::string_view text);

}  // namespace caravel::formatter
