// What the ledger knows of names that are still in a drop directory. The tables follow what a scan
// saw; only differences are written, so that an idle scan costs no write.
#include <unordered_map>

#include "watcher/ledger/ledger.h"
#include "watcher/ledger/rows.h"

namespace caravel::watcher {
namespace {

struct KnownInDrop {
  std::string why;
  std::uint64_t size = 0;
  std::int64_t mtime_ns = 0;
  bool seen_again = false;
};

struct KnownLeftAlone {
  std::string why;
  bool seen_again = false;
};

/// Begun with the first write, if there is one.
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

}  // namespace

Result<> Ledger::set_in_drop(const std::string& feed, const std::vector<InDrop>& files, Time now,
                             Origin origin) {
  return in_context("drop directory", [&]() -> Result<> {
    std::unordered_map<std::string, KnownInDrop> known;
    CARAVEL_TRY(database_.each(
        "SELECT name, why, size, mtime_ns FROM extracts WHERE feed = ? AND claim IS NULL AND "
        "origin = ?",
        [&](const Statement& row) {
          known[row.text(0)] = {row.text(1), row.count(2), row.integer(3), false};
        },
        feed, name_of(origin)));
    const std::string at = time_text(now);
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
    LazyTransaction transaction(database_);
    std::size_t kept = 0;
    for (const InDrop& file : files) {
      if (++kept > kMaxInDrop) break;
      const auto found = known.find(file.name);
      if (found != known.end()) {
        found->second.seen_again = true;
        if (found->second.why == file.why && found->second.size == file.size &&
            found->second.mtime_ns == file.mtime_ns) {
          continue;
        }
      }
      const State state = file.why.empty() ? State::seen : State::waiting;
      CARAVEL_TRY(transaction.run(put, feed, file.name, name_of(state), file.why, at, file.size,
                                  file.mtime_ns, name_of(origin)));
    }
    for (const auto& [name, file] : known) {
      if (file.seen_again) continue;
      CARAVEL_TRY(transaction.run(remove, feed, name));
    }
    return transaction.commit();
  });
}

Result<> Ledger::set_left_alone(const std::string& feed, const std::vector<LeftAlone>& names,
                                Time now) {
  return in_context("drop directory", [&]() -> Result<> {
    std::unordered_map<std::string, KnownLeftAlone> known;
    CARAVEL_TRY(database_.each(
        "SELECT name, why FROM left_alone WHERE feed = ?",
        [&](const Statement& row) {
          known[row.text(0)] = {row.text(1), false};
        },
        feed));
    CARAVEL_ASSIGN_OR_RETURN(
        auto put,
        database_.prepare(
            "INSERT INTO left_alone (feed, name, why, since) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (feed, name) DO UPDATE SET why = excluded.why, since = excluded.since"));
    CARAVEL_ASSIGN_OR_RETURN(
        auto remove, database_.prepare("DELETE FROM left_alone WHERE feed = ? AND name = ?"));
    LazyTransaction transaction(database_);
    std::size_t kept = 0;
    for (const LeftAlone& name : names) {
      if (++kept > kMaxLeftAlone) break;
      const auto found = known.find(name.name);
      if (found != known.end()) {
        found->second.seen_again = true;
        if (found->second.why == name.why) continue;
      }
      CARAVEL_TRY(transaction.run(put, feed, name.name, name.why, time_text(now)));
    }
    for (const auto& [name, entry] : known) {
      if (entry.seen_again) continue;
      CARAVEL_TRY(transaction.run(remove, feed, name));
    }
    return transaction.commit();
  });
}

}  // namespace caravel::watcher
