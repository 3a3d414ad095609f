// A feed's table, as far as the statements that store rows must know it.
#pragma once

#include <map>
#include <string>

#include "uploader/postgresql/wire/copy_rows.h"

namespace caravel::uploader {

struct FeedTable {
  std::string oid;  // a table that was dropped and made again has another
  SentShape shape;
  std::map<std::string, std::string> types;  // of all columns, without their lengths: "text"
  /// The key holds `_time` beside `_id`, as it must where the table is partitioned by time.
  bool keyed_by_time = false;
  /// Another unique key of the table is deferrable: an ON CONFLICT must then name ours
  /// (PostgreSQL's manual, "INSERT").
  bool has_deferrable_key = false;
};

}  // namespace caravel::uploader
