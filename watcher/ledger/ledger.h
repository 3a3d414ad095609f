// The watcher's private record of every extract and what became of it: STATE/ledger.db.
// docs/ledger.md is the page of this format.
//
//   seen -> waiting (why) -> claimed -> formatted -> uploading -> done | failed (why)
//
// The file is one; what it knows is divided by job, and each job has a class with a header of its
// own. Whoever needs one part includes that header.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/sqlite/sqlite.h"
#include "base/stop_signal.h"

namespace caravel::watcher {

class Directories;
class DropNames;
class Extracts;
class History;
class LastingNews;
class Manifests;
class Sources;
class StoreRecords;

/// Opens the ledger, owns the connection, and hands out the parts that work on it.
///
/// Threads: one Ledger object a thread. Several may be open at once, also in several processes: a
/// writer waits up to 10 s for another.
///
/// Errors, of every part: the message begins with "ledger: "; the kind is retry (the disk is full,
/// another process holds the file), fault (rights, a damaged file, a call that makes no sense in
/// the extract's state) or usage (a schema newer than this program).
class Ledger {
 public:
  enum class Mode { read_write, read_only };

  /// Opens the ledger at `path`. read_write makes a missing file and its directory (0600, 0700),
  /// and brings an older schema up to date. read_only changes nothing; a missing file is a fault.
  /// Once `stop` is requested (it must outlive the ledger, or may be null), nobody waits for
  /// another writer any longer.
  [[nodiscard]] static Result<Ledger> open(const std::string& path, Mode mode = Mode::read_write,
                                           const StopSignal* stop = nullptr);
  /// As a path: an empty ledger of no file, for what is asked before the first start.
  static constexpr std::string_view kInMemory = ":memory:";
  /// Behind the path: a new ledger that is about to take the place of this one. As long as it is
  /// there, the ledger is a fault to open: what was written into the old one now would be lost.
  static constexpr std::string_view kRebuiltSuffix = ".rebuilt";

  Ledger(Ledger&& other) noexcept;
  Ledger& operator=(Ledger&& other) noexcept;
  ~Ledger();

  /// The parts. The references stay valid as long as this ledger, or the one it was moved into.
  [[nodiscard]] Extracts& extracts();        // one extract's way, and what a restart finds undone
  [[nodiscard]] DropNames& drop_names();     // names that are still in a drop directory
  [[nodiscard]] Directories& directories();  // what is wrong with drop directories
  [[nodiscard]] Manifests& manifests();      // what the tail agents said of their extracts
  [[nodiscard]] Sources& sources();          // sequences of capture hosts, and gaps in them
  [[nodiscard]] LastingNews& news();         // what lasts, and was told of
  [[nodiscard]] StoreRecords& stores();      // how each store is, and whether it ever had a row
  [[nodiscard]] History& history();          // what status, explain and --delete-stale ask

  /// The connection, for what works on the rows of several parts (watcher/ledger/upkeep).
  [[nodiscard]] Sqlite& database();
  /// Runs `work` in one transaction, which all calls of all parts belong to meanwhile: all of them
  /// or none. Calls that fail take back what they did themselves. After some errors, a full disk
  /// for one, SQLite has taken back everything: is_in_group() is false then, and `work` must
  /// return.
  [[nodiscard]] Result<> in_group(bool synced, const std::function<Result<>()>& work);
  [[nodiscard]] bool is_in_group() const;
  /// Runs `work`, whose questions are then all answered from one state of the file: each saves the
  /// locks that it would take. What it writes may fail (retry) if others have written meanwhile.
  [[nodiscard]] Result<> in_snapshot(const std::function<Result<>()>& work);

  /// Has SQLite look at every page of the file (PRAGMA quick_check): a fault that names the first
  /// damage, and the way out. Takes as long as reading the file.
  [[nodiscard]] Result<> check_pages();
  /// Calls `each` with every row of every table, under the table's name; of one table after the
  /// other, in no order.
  [[nodiscard]] Result<> for_each_row(
      const std::function<void(std::string_view table, const Statement& row)>& each);

 private:
  struct Parts;
  explicit Ledger(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
};

}  // namespace caravel::watcher
