#include "watcher/ledger/drop_names.h"

#include <algorithm>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>

#include "base/sqlite/transaction.h"
#include "watcher/ledger/rows.h"

namespace caravel::watcher {
namespace {

/// A transaction that begins with the first write, if there is one. Scans are frequent and mostly
/// find what the last one found: a transaction each time would take the write lock from others for
/// nothing.
class LazyTransaction {
 public:
  explicit LazyTransaction(Sqlite& database) : database_(database) {}

  template <class... Values>
  [[nodiscard]] Result<> run(Statement& statement, const Values&... values) {
    if (!transaction_) {
      CARAVEL_ASSIGN_OR_RETURN(auto begun, Transaction::begin(database_));
      transaction_.emplace(std::move(begun));
    }
    return statement.run(values...);
  }
  [[nodiscard]] Result<> commit() { return transaction_ ? transaction_->commit() : Result<>{}; }

 private:
  Sqlite& database_;
  std::optional<Transaction> transaction_;
};

/// Whether the row of a name says already what the scan says.
bool is_same(const InDrop& row, const InDrop& file) {
  return row.why == file.why && row.size == file.size && row.mtime_ns == file.mtime_ns;
}
bool is_same(const LeftAlone& row, const LeftAlone& name) { return row.why == name.why; }

/// Brings one feed's rows of a table up to date with what a scan saw. A crash before the commit
/// leaves what an earlier scan saw, and the first scan after the restart corrects it: nothing but
/// messages to people depends on these rows.
template <class Name>
class NameTable {
 public:
  explicit NameTable(Sqlite& database) : transaction_(database) {}

  /// A row that the table has.
  void add_row(Name row) {
    std::string name = row.name;
    rows_.insert_or_assign(std::move(name), Row{std::move(row)});
  }

  /// Calls `put(transaction, name)` with each of the first `most` names that is new or changed, and
  /// `remove(transaction, name)` with each name of a row that is not among them.
  template <class Put, class Remove>
  [[nodiscard]] Result<> replace(std::span<const Name> names, std::size_t most, const Put& put,
                                 const Remove& remove) {
    // Names beyond the limit lose their rows, too, if they had one: the rows never outgrow it.
    for (const Name& name : names.first(std::min(names.size(), most))) {
      const auto row = rows_.find(name.name);
      if (row != rows_.end()) {
        row->second.seen_again = true;
        if (is_same(row->second.said, name)) continue;
      }
      CARAVEL_TRY(put(transaction_, name));
    }
    for (const auto& [name, row] : rows_) {
      if (!row.seen_again) CARAVEL_TRY(remove(transaction_, name));
    }
    return transaction_.commit();
  }

 private:
  struct Row {
    Name said;
    bool seen_again = false;
  };
  LazyTransaction transaction_;
  std::unordered_map<std::string, Row> rows_;
};

}  // namespace

Result<> DropNames::set_in_drop(const std::string& feed, const std::vector<InDrop>& files, Time now,
                                Origin origin) {
  return in_context("drop directory", [&]() -> Result<> {
    NameTable<InDrop> table(database_);
    CARAVEL_TRY(database_.each(
        "SELECT name, why, size, mtime_ns FROM extracts WHERE feed = ? AND claim IS NULL AND "
        "origin = ?",
        [&](const Statement& row) {
          table.add_row({row.text(0), row.count(2), row.integer(3), row.text(1)});
        },
        feed, name_of(origin)));
    // The conflict is that of the partial index over names without a claim: an extract of the same
    // name that is claimed already has a row of its own, which stays as it is.
    CARAVEL_ASSIGN_OR_RETURN(
        auto put,
        database_.prepare(
            "INSERT INTO extracts (feed, name, origin, state, why, since, seen_at, size, mtime_ns) "
            "VALUES (?1, ?2, ?8, ?3, ?4, ?5, ?5, ?6, ?7) "
            "ON CONFLICT (feed, name) WHERE claim IS NULL DO UPDATE SET "
            "since = CASE WHEN state = excluded.state THEN since ELSE excluded.since END, "
            "state = excluded.state, why = excluded.why, size = excluded.size, "
            "mtime_ns = excluded.mtime_ns"));
    CARAVEL_ASSIGN_OR_RETURN(
        auto remove,
        database_.prepare("DELETE FROM extracts WHERE feed = ? AND name = ? AND claim IS NULL"));
    const std::string at = time_text(now);
    return table.replace(
        files, kMaxInDrop,
        [&](LazyTransaction& transaction, const InDrop& file) {
          const State state = file.why.empty() ? State::seen : State::waiting;
          return transaction.run(put, feed, file.name, name_of(state), file.why, at, file.size,
                                 file.mtime_ns, name_of(origin));
        },
        [&](LazyTransaction& transaction, const std::string& name) {
          return transaction.run(remove, feed, name);
        });
  });
}

Result<> DropNames::set_left_alone(const std::string& feed, const std::vector<LeftAlone>& names,
                                   Time now) {
  return in_context("drop directory", [&]() -> Result<> {
    NameTable<LeftAlone> table(database_);
    CARAVEL_TRY(database_.each(
        "SELECT name, why FROM left_alone WHERE feed = ?",
        [&](const Statement& row) {
          table.add_row({row.text(0), row.text(1)});
        },
        feed));
    CARAVEL_ASSIGN_OR_RETURN(
        auto put,
        database_.prepare(
            "INSERT INTO left_alone (feed, name, why, since) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (feed, name) DO UPDATE SET why = excluded.why, since = excluded.since"));
    CARAVEL_ASSIGN_OR_RETURN(
        auto remove, database_.prepare("DELETE FROM left_alone WHERE feed = ? AND name = ?"));
    const std::string at = time_text(now);
    return table.replace(
        names, kMaxLeftAlone,
        [&](LazyTransaction& transaction, const LeftAlone& name) {
          return transaction.run(put, feed, name.name, name.why, at);
        },
        [&](LazyTransaction& transaction, const std::string& name) {
          return transaction.run(remove, feed, name);
        });
  });
}

Result<std::map<std::string, std::vector<LeftAlone>>> DropNames::left_alone() {
  return in_context("left alone", [&]() -> Result<std::map<std::string, std::vector<LeftAlone>>> {
    std::map<std::string, std::vector<LeftAlone>> out;
    CARAVEL_TRY(
        database_.each("SELECT feed, name, why, since FROM left_alone ORDER BY feed, name",
                       [&](const Statement& row) {
                         out[row.text(0)].push_back({row.text(1), row.text(2), time_at(row, 3)});
                       }));
    return out;
  });
}

}  // namespace caravel::watcher
