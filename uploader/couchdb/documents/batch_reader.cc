#include "uploader/couchdb/documents/batch_reader.h"

#include <algorithm>
#include <utility>

#include "uploader/row.h"

namespace caravel::uploader {
namespace {

constexpr std::string_view kHead = R"({"docs":[)";
constexpr std::string_view kTail = "]}";

}  // namespace

void IdTable::clear() {
  std::fill(slots_.begin(), slots_.end(), Slot{});
  taken_ = 0;
}

void IdTable::grow() {
  constexpr std::size_t kFewest = 64;
  const std::vector<Slot> before =
      std::exchange(slots_, std::vector<Slot>(std::max(kFewest, 2 * slots_.size())));
  const std::size_t mask = slots_.size() - 1;
  for (const Slot& slot : before) {
    if (slot.row == BatchRow::kFirst) continue;
    std::size_t at = slot.hash & mask;
    while (slots_[at].row != BatchRow::kFirst) at = (at + 1) & mask;
    slots_[at] = slot;
  }
}

std::uint32_t IdTable::first_with_id_of(const Batch& batch, std::uint32_t row) {
  if (2 * (taken_ + 1) > slots_.size()) grow();
  const std::string_view id = batch.id(row);
  const auto hash = static_cast<std::uint32_t>(row_sum(id));
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = hash & mask;; at = (at + 1) & mask) {
    Slot& slot = slots_[at];
    if (slot.row == BatchRow::kFirst) {
      slot = {hash, row};
      ++taken_;
      return row;
    }
    if (slot.hash == hash && batch.id(slot.row) == id) return slot.row;
  }
}

/// Each row is appended to the body first and taken off it again if it cannot be a document, or if
/// its id is there already: the id of a row is known only as a slice of the body.
Result<std::unique_ptr<Batch>> BatchReader::next() {
  if (ended_) return nullptr;
  auto batch = std::make_unique<Batch>();
  // About as large as the one before, and a little more.
  batch->body.reserve(last_bytes_ + last_bytes_ / 8);
  batch->body = kHead;
  ids_.clear();
  formatter::Row row;
  // One row at least: an empty batch would read as the end.
  const auto has_room = [&] {
    const std::size_t rows = batch->rows.size() + batch->unfit.size();
    return rows == 0 || (rows < max_rows_ && batch->body.size() < max_bytes_);
  };
  while (has_room()) {
    CARAVEL_ASSIGN_OR_RETURN(auto got, rows_.next(row));
    if (!got) {
      ended_ = true;
      break;
    }
    const std::size_t before = batch->body.size();
    if (before > kHead.size()) batch->body.push_back(',');
    BatchRow added;
    added.at = batch->body.size();
    added.line = row.line;
    added.lines = row.lines;
    added.offset = row.offset;
    added.sum = row_sum(row.record);
    if (auto reason = builder_.append(row, added.sum, batch->body)) {
      // Such a row is never sent: CouchDB would answer with 400 for the whole request.
      batch->body.resize(before);
      batch->unfit.push_back({row.line, row.offset, std::move(*reason), row.lines});
      continue;
    }
    added.size = batch->body.size() - added.at;
    added.id_size = static_cast<std::uint16_t>(builder_.id_prefix().size() + row.id_tail.size());
    batch->rows.push_back(added);
    const auto index = static_cast<std::uint32_t>(batch->rows.size() - 1);
    const std::uint32_t first = ids_.first_with_id_of(*batch, index);
    // With two documents of one id in a request, two entries of the reply would have that id, and
    // nobody could say which row is which.
    if (first != index) {
      batch->body.resize(before);
      batch->rows.back().size = 0;
      batch->rows.back().repeats = first;
    }
  }
  if (batch->rows.empty() && batch->unfit.empty()) return nullptr;
  batch->body.append(kTail);
  last_bytes_ = batch->body.size();
  return batch;
}

}  // namespace caravel::uploader
