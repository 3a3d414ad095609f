// The statements that bring the rows of the staging table into their feed's table. Pure.
#pragma once

#include <string>
#include <string_view>

#include "uploader/postgresql/rows/table_shape.h"

namespace caravel::uploader {

/// Made once for an extract. Each of `insert`, `look` and `remove` takes all rows of the staging
/// table, or with `kChosenRows` behind it those whose `n` is in the array $1.
struct Statements {
  std::string make_staging;
  std::string clear_staging;
  std::string copy;
  /// The transaction; its reply has the number of the feed's table, none if there is no table.
  std::string begin;
  /// Rows whose id is taken are left out; the reply has the lines of the others.
  std::string insert;
  std::string unless_taken;  // behind `insert`
  std::string look;          // n, _extract, _line and _sum of what has an id of ours
  std::string remove;        // what has an id of ours
  // Without the staging table:
  std::string copy_to_table;  // "" if the table has columns of types that are not sent
  std::string count_ids;      // how many rows have one of the ids in the array $1
  /// Of the ids in the array $1 that are there: the place in it, from 1; _extract, _line, _sum. ""
  /// if the table would be searched for more than the id (FeedTable::keyed_by_time).
  std::string look_for_ids;
};

/// `name`: the table's, as statements have it.
[[nodiscard]] Statements statements_of(const FeedTable& table, const std::string& name,
                                       std::string_view schema, std::string_view feed);

/// `insert` of the chosen rows only, or of all.
[[nodiscard]] std::string insert_rows(const Statements& statements, bool chosen);

inline constexpr const char* kChosenRows = " AND s.n = ANY ($1::int4[])";

}  // namespace caravel::uploader
