// All or nothing: a transaction of one connection, or a part of one.
#pragma once

#include <utility>

#include "base/error.h"
#include "base/sqlite/sqlite.h"

namespace caravel {

/// BEGIN IMMEDIATE … COMMIT; rolled back when it ends without a commit(), or with one that failed.
/// The database outlives it.
///
/// One that begins while another of the same connection is open is a part of that: a savepoint
/// (sqlite.org/lang_savepoint.html). Its commit() puts nothing on the disk yet, the outer one does;
/// its rollback takes back this part alone. They end in the reverse order of their beginning.
class Transaction {
 public:
  static Result<Transaction> begin(Sqlite& database);
  Transaction(Transaction&& other) noexcept
      : database_(std::exchange(other.database_, nullptr)), is_part_(other.is_part_) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  [[nodiscard]] Result<> commit();

 private:
  Transaction(Sqlite& database, bool is_part) : database_(&database), is_part_(is_part) {}
  Sqlite* database_;
  bool is_part_;
};

/// Commits of this connection do not wait for the disk until this object is gone; it is for a
/// connection whose commits do otherwise (synchronous=FULL). In WAL mode the file stays whole all
/// the same, a power loss only takes the newest commits back; the next commit that waits puts these
/// on the disk too (sqlite.org/pragma.html#pragma_synchronous). Within a transaction it does
/// nothing: what belongs to that is on the disk with it.
class UnsyncedCommits {
 public:
  explicit UnsyncedCommits(Sqlite& database)
      : database_(database.in_transaction() ? nullptr : &database) {
    if (database_ != nullptr) database_->sync_commits(false);
  }
  ~UnsyncedCommits() {
    if (database_ != nullptr) database_->sync_commits(true);
  }
  UnsyncedCommits(const UnsyncedCommits&) = delete;
  UnsyncedCommits& operator=(const UnsyncedCommits&) = delete;

 private:
  Sqlite* database_;
};

}  // namespace caravel
