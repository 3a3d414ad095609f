// The text of a CREATE TABLE, as SQLite keeps it in its schema.
#pragma once

#include <set>
#include <string>
#include <string_view>

namespace caravel::uploader {

/// `sql`, a CREATE TABLE statement that SQLite has taken, with the type TEXT left out where one of
/// `columns` (names in lower case) is declared as it. All else stays as it is, people's own columns
/// and constraints too. The grammar: sqlite.org/lang_createtable.html. Where the text is not of the
/// shape that this reads, columns keep their type: the caller looks at what came out.
[[nodiscard]] std::string without_text_type(std::string_view sql,
                                            const std::set<std::string>& columns);

}  // namespace caravel::uploader
