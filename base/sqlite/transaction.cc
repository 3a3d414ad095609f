#include "base/sqlite/transaction.h"

namespace caravel {

Result<Transaction> Transaction::begin(Sqlite& database) {
  const bool is_part = database.in_transaction();
  // IMMEDIATE waits for the write lock at the start. A transaction that begins as a reader gets
  // SQLITE_BUSY at its first write, without any waiting, if another writer came first.
  CARAVEL_TRY(database.run(is_part ? "SAVEPOINT part" : "BEGIN IMMEDIATE"));
  return Transaction(database, is_part);
}

Transaction::~Transaction() {
  // After some errors, a full disk for one, SQLite has rolled back all of it by itself.
  if (database_ == nullptr || !database_->in_transaction()) return;
  // What cannot be rolled back cannot be committed either (sqlite.org/lang_transaction.html).
  if (!is_part_) {
    (void)database_->run("ROLLBACK");
  } else if (database_->run("ROLLBACK TO part")) {
    // The savepoint stays open after that, and would be the outer one's for ever.
    (void)database_->run("RELEASE part");
  }
}

Result<> Transaction::commit() {
  // A COMMIT that meets a lock leaves the transaction open (sqlite.org/lang_transaction.html).
  // `database_` is then still set, and the destructor rolls back.
  CARAVEL_TRY(database_->run(is_part_ ? "RELEASE part" : "COMMIT"));
  database_ = nullptr;
  return {};
}

}  // namespace caravel
