// The rows of one transaction, in memory until it is committed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "formatter/rows/sidecar.h"

namespace caravel::uploader {

/// Rows as they were added, and the order of their ids: a table that is keyed by the id takes rows
/// in that order with the fewest steps, since each belongs next to the one before.
class RowBatch {
 public:
  /// `feed`: of which the rows are; their ids begin with it.
  explicit RowBatch(const std::string& feed) : id_begin_(feed + ":") {}

  void add(const formatter::Row& row);
  void clear();

  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  /// Of ids and records.
  [[nodiscard]] std::size_t bytes() const { return text_.size(); }

  /// The row that was added as number `index`, from 0. Views last until the next add() or clear().
  [[nodiscard]] formatter::Row row(std::size_t index) const;
  [[nodiscard]] std::string_view id(std::size_t index) const;
  /// That the row takes.
  [[nodiscard]] std::uint64_t lines(std::size_t index) const { return entries_[index].lines; }

  /// All indexes, by id; of equal ids, in the order in which they were added.
  [[nodiscard]] std::vector<std::uint32_t> by_id() const;

 private:
  /// Its texts stand in text_, one behind the other.
  struct Entry {
    std::uint64_t line = 0;
    std::uint64_t lines = 1;
    std::uint64_t offset = 0;
    std::size_t id_at = 0;
    std::size_t record_at = 0;
    std::size_t record_size = 0;
    std::uint32_t kind = 0;
  };

  std::string id_begin_;
  std::vector<Entry> entries_;
  std::string text_;
};

}  // namespace caravel::uploader
