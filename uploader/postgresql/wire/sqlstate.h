// What an error of PostgreSQL asks for, from its SQLSTATE (the manual's appendix "PostgreSQL Error
// Codes"). Pure. No words are read: the server says them in its own language.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace caravel::uploader {

/// What to do about a statement that failed: retry (the server is down, full, busy, a standby) or
/// fault (a right, a name, a login). An unknown state is a fault: it will not pass by itself.
[[nodiscard]] ErrorKind kind_of_state(std::string_view state);

/// Did a row itself make the statement fail: a constraint, a value out of range, an encoding? Other
/// rows may pass.
[[nodiscard]] bool speaks_of_row(std::string_view state);

/// Whether the table exists already, or a column: somebody else made it at this moment.
[[nodiscard]] bool was_made_meanwhile(std::string_view state);

/// The SQLSTATEs in the words of a connection that was not made, which libpq writes with
/// PQERRORS_VERBOSE: "FATAL:  28P01: …". One for each server that answered.
[[nodiscard]] std::vector<std::string> states_in(std::string_view words);

/// What to do about a connection that was not made. `words`: libpq's, see states_in().
[[nodiscard]] ErrorKind kind_of_refused_connection(std::string_view words);

/// Words of libpq or of the server in one line, without SQLSTATEs, places in the server's source
/// and what would show a whole row; cut to a bounded length.
[[nodiscard]] std::string plain_words(std::string_view words);

}  // namespace caravel::uploader
