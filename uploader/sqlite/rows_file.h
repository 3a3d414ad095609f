// The SQLite file of one store: found, made, and opened anew when its path leads to another file.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/sqlite/transaction.h"
#include "uploader/sqlite/feed_table.h"

namespace caravel::uploader {

/// `name` is the store's: errors begin with it, and with the path where SQLite has the word. One
/// thread at a time.
class RowsFile {
 public:
  RowsFile(std::string name, std::string path) : name_(std::move(name)), path_(std::move(path)) {}

  [[nodiscard]] const std::string& path() const { return path_; }

  /// Who holds the file is waited for until `stop` at most; null: by the clock alone. What is given
  /// must outlive the next call of this.
  void stop_waiting_at(const StopSignal* stop);

  /// The open file, opened again if its path leads elsewhere by now; statements of the one that was
  /// open before must be gone. Makes the file, and the directory that it is in, if they are missing
  /// and `may_create`; else null.
  [[nodiscard]] Result<Sqlite*> open(bool may_create);
  /// The file if it is there and has `table`; else null.
  [[nodiscard]] Result<Sqlite*> open_with(std::string_view table);
  /// What is known of the tables of the open file.
  [[nodiscard]] KnownTables& tables() { return tables_; }
  /// How often open() opened a file: another number may mean another file.
  [[nodiscard]] std::uint64_t times_opened() const { return times_opened_; }
  /// False if the path now leads to another file, or to none: SQLite goes on writing to the old one
  /// (sqlite.org/howtocorrupt.html, "Unlinking or renaming a database file while in use"), and what
  /// is written there is lost.
  [[nodiscard]] bool still_there() const;

  /// Begins a transaction that those of all uploads belong to until end_group(). False if the file
  /// is not there, or somebody else holds it. A file that is opened anew meanwhile has none.
  [[nodiscard]] bool begin_group();
  [[nodiscard]] bool is_in_group() const { return group_ && file_->in_transaction(); }
  [[nodiscard]] Result<> commit_group();
  /// What was not committed is taken back.
  void end_group();

  /// Can the file be written, or made? Changes nothing. A sentence for people.
  [[nodiscard]] Result<std::string> check(bool may_create) const;

  /// Runs `work` on the open file; its error becomes "STORE: PATH: …".
  template <class Work>
  auto in_context(Work work) const -> decltype(work()) {
    auto result = work();
    if (!result) return tl::unexpected(said_of_file(std::move(result).error()));
    return result;
  }

 private:
  [[nodiscard]] Error said_of_file(Error error) const;
  [[nodiscard]] Result<> make_parent() const;
  [[nodiscard]] Result<std::string> check_missing(bool may_create) const;
  [[nodiscard]] Result<std::uint64_t> count_tables() const;

  std::string name_;
  std::string path_;
  std::unique_ptr<Sqlite> file_;
  std::optional<Transaction> group_;  // of file_, as all below: they go first
  KnownTables tables_;
  const StopSignal* stop_ = nullptr;
  std::uint64_t device_ = 0;  // of the open file
  std::uint64_t inode_ = 0;
  std::uint64_t times_opened_ = 0;
};

}  // namespace caravel::uploader
