#include "uploader/tables/row_batch.h"

#include <algorithm>

namespace caravel::uploader {
namespace {

/// A row in the middle of being sorted: nearly all pairs differ in these eight bytes of their ids.
struct SortKey {
  std::uint64_t bytes = 0;
  std::uint32_t index = 0;
};

/// Up to eight bytes of `id` from `at` on, so that numbers compare as the bytes do.
std::uint64_t eight_bytes(std::string_view id, std::size_t at) {
  std::uint64_t bytes = 0;
  for (std::size_t i = at; i < at + sizeof bytes; ++i) {
    bytes = bytes << 8U | (i < id.size() ? static_cast<unsigned char>(id[i]) : 0U);
  }
  return bytes;
}

std::size_t common_size(std::string_view a, std::string_view b) {
  const std::size_t most = std::min(a.size(), b.size());
  std::size_t size = 0;
  while (size < most && a[size] == b[size]) ++size;
  return size;
}

}  // namespace

void RowBatch::add(const formatter::Row& row) {
  Entry entry;
  entry.line = row.line;
  entry.lines = row.lines;
  entry.offset = row.offset;
  entry.kind = row.kind;
  entry.id_at = text_.size();
  // Copied, because the reader reuses its buffers; one text for all rows saves an allocation each.
  text_.append(id_begin_).append(row.id_tail);
  entry.record_at = text_.size();
  entry.record_size = row.record.size();
  text_.append(row.record);
  entries_.push_back(entry);
}

void RowBatch::clear() {
  entries_.clear();
  text_.clear();
}

formatter::Row RowBatch::row(std::size_t index) const {
  const Entry& entry = entries_[index];
  formatter::Row row;
  row.line = entry.line;
  row.lines = entry.lines;
  row.offset = entry.offset;
  row.kind = entry.kind;
  row.id_tail = id(index).substr(id_begin_.size());
  row.record = std::string_view(text_).substr(entry.record_at, entry.record_size);
  return row;
}

std::string_view RowBatch::id(std::size_t index) const {
  const Entry& entry = entries_[index];
  return std::string_view(text_).substr(entry.id_at, entry.record_at - entry.id_at);
}

std::vector<std::uint32_t> RowBatch::by_id() const {
  std::vector<std::uint32_t> order;
  if (entries_.empty()) return order;
  // Rows of one transaction follow each other in time, and times begin with the same digits.
  std::string_view same = id(0);
  for (std::size_t i = 1; i < size(); ++i) {
    if (!id(i).starts_with(same)) same = same.substr(0, common_size(same, id(i)));
  }
  std::vector<SortKey> keys;
  keys.reserve(size());
  for (std::uint32_t i = 0; i < size(); ++i) keys.push_back({eight_bytes(id(i), same.size()), i});
  const auto before = [&](const SortKey& a, const SortKey& b) {
    if (a.bytes != b.bytes) return a.bytes < b.bytes;
    const int order_of_ids = id(a.index).compare(id(b.index));
    return order_of_ids != 0 ? order_of_ids < 0 : a.index < b.index;
  };
  if (!std::is_sorted(keys.begin(), keys.end(), before)) {
    std::sort(keys.begin(), keys.end(), before);
  }
  order.reserve(size());
  for (const SortKey& key : keys) order.push_back(key.index);
  return order;
}

}  // namespace caravel::uploader
