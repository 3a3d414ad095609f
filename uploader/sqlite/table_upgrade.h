// An older table of a feed, which holds numbers as texts, turned into one that holds numbers.
//
//   CREATE TABLE "hrt" (…, "Date" TEXT, "Lat" TEXT)      '2012-03-09' '36.75'
//     │  the type of "Lat" is taken out of the schema
//     │  indexes of people are built again
//     │  each text of "Lat" that is a number is replaced, a bounded number of rows at a time
//     v
//   CREATE TABLE "hrt" (…, "Date" TEXT, "Lat")           '2012-03-09'  36.75
//
// All of it is one transaction: a crash, a stop or a full disk leaves the old table.
//
// The schema is edited as SQLite's own page says it may be (sqlite.org/lang_altertable.html, the
// second procedure of "Making Other Kinds Of Table Schema Changes"): a column without a type may
// hold what a TEXT column holds, so that no page of the file becomes wrong by it. A new table that
// takes the rows of the old one would need twice the room, and would have to make anew what people
// have added to the old: columns, indexes, triggers, views.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/sqlite/sqlite.h"
#include "uploader/sqlite/feed_table.h"

namespace caravel::uploader {

/// Those of `columns` that the table declares as TEXT though their type is another one; names in
/// lower case. A type that people gave to a column is theirs.
[[nodiscard]] Result<std::set<std::string>> columns_held_as_text(
    Sqlite& file, const std::string& feed, const std::vector<TableColumn>& columns);

/// Changes those columns, and nothing else: no other column, no `_sum`, and no trigger runs. What
/// was done, in words; empty if there was no row. A definition that cannot be changed stays, and
/// the words say so. Errors: SQLite's; stopped.
[[nodiscard]] Result<std::string> upgrade_table(Sqlite& file, const std::string& feed,
                                                const std::vector<TableColumn>& columns,
                                                const UpgradeWatch& watch);

}  // namespace caravel::uploader
