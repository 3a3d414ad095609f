// Files that were put away and go in again, each as a new extract with a claim of its own:
//
//   done/NAME    written to after it was loaded          changed()
//   done/NAME    had rejects, and a person asks for it   asked_for()
//   failed/NAME  a person asks for it                    asked_for()
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/moment.h"
#include "watcher/config/config.h"
#include "watcher/files/file_stamp.h"
#include "watcher/intake/claimed_file.h"
#include "watcher/intake/intake_messages.h"
#include "watcher/ledger/extract.h"
#include "watcher/ledger/extracts.h"
#include "watcher/ledger/ledger.h"
#include "watcher/spool/claim.h"
#include "watcher/spool/spool.h"

namespace caravel::watcher {

/// The row of the new claim is committed before the rename into `work` (SPOOL/work): a crash
/// between the two leaves a row without a file, which the next start forgets, and the file where it
/// was.
class TakenBack {
 public:
  /// All must outlive it. `origin`: whose extracts are ours, see Intake.
  TakenBack(const Config& config, const Spool& spool, Ledger& ledger, Origin origin,
            IntakeMessages& messages)
      : config_(config), spool_(spool), ledger_(ledger), origin_(origin), messages_(messages) {}

  /// Looks once more at what was archived within the last hour.
  [[nodiscard]] std::vector<ClaimedFile> changed(const ClaimRoot& work, const Moment& now);

  /// What `caravel retry` has asked for since.
  [[nodiscard]] std::vector<ClaimedFile> asked_for(const ClaimRoot& work, const Moment& now);

  /// Settles open failures whose files somebody took out of failed/.
  void note_removed(const Moment& now);

 private:
  [[nodiscard]] Result<std::optional<ClaimedFile>> take_if_changed(const ClaimRoot& work,
                                                                   const ArchivedExtract& archived,
                                                                   const Moment& now);
  /// Nothing if the file is not there (any more).
  [[nodiscard]] Result<std::optional<ClaimedFile>> take(const ClaimRoot& work,
                                                        const Extract& extract,
                                                        const FileStamp& stamp, const Moment& now);
  [[nodiscard]] Result<std::optional<ClaimedFile>> retry(const ClaimRoot& work,
                                                         const Extract& extract, const Moment& now);
  /// The stamp of its file in this folder of the spool ("done", "failed"); nothing if it is not
  /// there.
  [[nodiscard]] Result<std::optional<FileStamp>> stamp_in(std::string_view folder,
                                                          const std::string& done_path) const;

  const Config& config_;
  const Spool& spool_;
  Ledger& ledger_;
  const Origin origin_;
  IntakeMessages& messages_;
};

}  // namespace caravel::watcher
