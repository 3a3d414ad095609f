// The files that one extract has in csv/ and rejects/ while it is in the pipeline. Internal to it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "formatter/output/rejects.h"
#include "formatter/rows/sidecar.h"
#include "watcher/pipeline/pipeline.h"
#include "watcher/spool/rejects.h"

namespace caravel::watcher {

/// The bytes of the temporary files for lines, reasons and a cut line; nothing of one that is not
/// there.
using RejectSizes = std::array<std::optional<std::uint64_t>, 3>;

/// CSV and sidecar of a small extract are held in memory where nobody keeps the CSV
/// (`keep_csv: 0s`): hold_rows().
///
/// While they are written their names begin with ".tmp-<claim id>", so that nobody takes half a
/// file for a whole one. A second run of the same claim uses the same names and writes them anew;
/// those of a claim that never comes back are removed by Spool::remove_temporaries().
class ExtractFiles {
 public:
  ExtractFiles(const Spool& spool, const ExtractJob& job);

  /// The rows of the whole CSV, from the first on: csv/NAME.<claim id>.csv with .csv.sidecar beside
  /// it; of a prepared job, where it lies.
  [[nodiscard]] Result<formatter::RowReader> open_rows() const;

  /// Where formatting writes to.
  [[nodiscard]] FormatTargets temporaries() const;
  /// From now on, what temporaries() names has the rows in memory if they are few.
  void hold_rows() { may_hold_ = true; }
  [[nodiscard]] bool holds_rows() const { return held_.has_value(); }
  /// The rows are nowhere then, if they were held: only formatting makes them again.
  void forget_rows() { held_.reset(); }
  /// Gives the temporary CSV and sidecar their own names. Not synced: they can be made again.
  [[nodiscard]] Result<> publish_csv() const;
  /// What lies in the temporary reject files, once formatting has written them.
  [[nodiscard]] RejectSizes reject_sizes() const;
  /// Takes out of them again what was added to them since. False if that cannot be done, because
  /// one has its name already, say: only formatting makes them anew.
  [[nodiscard]] bool restore_rejects(const RejectSizes& sizes) const;
  /// The temporary reject files that `report` says were made, as publish_reject_files() wants them.
  [[nodiscard]] RejectFiles rejects_of(const FormatReport& report) const;

  /// What is gone already is fine. The CSV of a prepared job is a person's, and stays.
  void remove_csv() const;
  void remove_temporaries() const;

 private:
  [[nodiscard]] std::array<std::string, 3> reject_temporaries() const;
  [[nodiscard]] std::string temporary(std::string_view folder, std::string_view ending) const;

  const std::string spool_;
  const std::string prefix_;  // of the temporaries
  const bool prepared_;
  const std::string csv_;
  const std::string sidecar_;
  bool may_hold_ = false;
  // Formatting puts them here, by the pointer in its targets.
  mutable std::optional<HeldRows> held_;
};

}  // namespace caravel::watcher
