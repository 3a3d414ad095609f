// What the format's columns are called where a store has names of its own.
#pragma once

#include <string>
#include <vector>

#include "formatter/rows/counts.h"

namespace caravel::uploader {

/// The fields of a row document, one for each column of the format, in their order, all different.
/// `_id`, `time`, `time_utc`, `caravel` and `doc_type` are taken: such a name gets a `_` at the
/// end, and so does a second column of the same name. A name that begins with `_` gets an `x` in
/// front, because CouchDB refuses the whole request for it (CouchDB documentation, "HTTP Document
/// API", special fields). A column without a name is `column_N`, N from 1.
[[nodiscard]] std::vector<std::string> document_field_names(
    const std::vector<formatter::Column>& columns);

/// A name as SQLite compares it: ASCII letters in lower case.
[[nodiscard]] std::string folded_name(std::string name);

/// The columns of a feed's table, one for each column of the format, all different. The table's own
/// names are taken (`_id`, `_kind`, `_time`, `_time_utc`, `_extract`, `_line`, `_sum`). Names are
/// compared without regard to the case of ASCII letters, as SQLite does.
[[nodiscard]] std::vector<std::string> table_column_names(
    const std::vector<formatter::Column>& columns);

}  // namespace caravel::uploader
