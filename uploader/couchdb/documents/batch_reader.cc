#include "uploader/couchdb/documents/batch_reader.h"

#include <functional>
#include <unordered_set>

namespace caravel::uploader {
namespace {

constexpr std::string_view kHead = R"({"docs":[)";
constexpr std::string_view kTail = "]}";

/// A set of ids holds the indices of rows and not the ids: an id is a slice of the body, and the
/// body moves while it grows.
struct IdHash {
  const Batch* batch;
  std::size_t operator()(std::uint32_t row) const {
    return std::hash<std::string_view>()(batch->id(row));
  }
};
struct IdEqual {
  const Batch* batch;
  bool operator()(std::uint32_t a, std::uint32_t b) const { return batch->id(a) == batch->id(b); }
};

}  // namespace

/// Each row is appended to the body first and taken off it again if it cannot be a document, or if
/// its id is there already: the id of a row is known only as a slice of the body.
Result<std::unique_ptr<Batch>> BatchReader::next() {
  if (ended_) return nullptr;
  auto batch = std::make_unique<Batch>();
  batch->body = kHead;
  std::unordered_set<std::uint32_t, IdHash, IdEqual> ids(16, IdHash{batch.get()},
                                                         IdEqual{batch.get()});
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
    added.offset = row.offset;
    added.sum = row_sum(row.record);
    if (auto reason = builder_.append(row, added.sum, batch->body)) {
      // Such a row is never sent: CouchDB would answer with 400 for the whole request.
      batch->body.resize(before);
      batch->unfit.push_back({row.line, row.offset, std::move(*reason)});
      continue;
    }
    added.size = batch->body.size() - added.at;
    added.id_size = static_cast<std::uint16_t>(builder_.id_prefix().size() + row.id_tail.size());
    batch->rows.push_back(added);
    const auto index = static_cast<std::uint32_t>(batch->rows.size() - 1);
    const auto [first, fresh] = ids.insert(index);
    // With two documents of one id in a request, two entries of the reply would have that id, and
    // nobody could say which row is which.
    if (!fresh) {
      batch->body.resize(before);
      batch->rows.back().size = 0;
      batch->rows.back().repeats = *first;
    }
  }
  if (batch->rows.empty() && batch->unfit.empty()) return nullptr;
  batch->body.append(kTail);
  return batch;
}

}  // namespace caravel::uploader
