// The transaction that rows of a batch are stored in.
#pragma once

#include <string>
#include <utility>

#include "uploader/postgresql/wire/connection.h"

namespace caravel::uploader {

/// It ends with a COMMIT of the caller's, or when the connection is closed.
class RowTransaction {
 public:
  /// `begin`: Statements::begin; `table`: FeedTable::oid.
  RowTransaction(Connection& connection, std::string begin, std::string table)
      : connection_(connection), begin_(std::move(begin)), table_(std::move(table)) {}

  [[nodiscard]] Connection& connection() { return connection_; }
  /// Errors: retry: the table is another one now.
  [[nodiscard]] Result<> begin(const StopSignal& stop) {
    CARAVEL_ASSIGN_OR_RETURN(const Reply reply, connection_.run(begin_, stop));
    if (reply.rows() == 1 && reply.text(0, 0) == table_) return {};
    return fail(ErrorKind::retry, "the table is gone, or another one has its name");
  }
  /// Takes back what was done, and begins anew.
  [[nodiscard]] Result<> restart(const StopSignal& stop) {
    CARAVEL_TRY(connection_.run("ROLLBACK", stop));
    return begin(stop);
  }

 private:
  Connection& connection_;
  std::string begin_;
  std::string table_;
};

}  // namespace caravel::uploader
