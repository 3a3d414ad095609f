// The records on one page of an SQLite file, whatever else of the file is damaged.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "watcher/ledger/salvage/pages.h"

namespace caravel::watcher {

/// One column of a record.
struct RecordValue {
  enum class Type { null, integer, text, other };
  Type type = Type::null;
  std::int64_t integer = 0;
  std::string text{};
};

struct DatabaseRecord {
  /// The row's number; 0 in the tables WITHOUT ROWID and in indexes.
  std::int64_t row = 0;
  std::vector<RecordValue> values{};
};

/// Calls `visit` with each record of page `number` that can be read, be it a page of a table, of a
/// table WITHOUT ROWID or of an index; nothing tells which. A page that was freed still has its old
/// records. Returns false if the page, or a record on it, is damaged.
bool each_record(const DatabasePages& pages, std::uint32_t number,
                 const std::function<void(const DatabaseRecord&)>& visit);

}  // namespace caravel::watcher
