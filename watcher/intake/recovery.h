// What a crash left in work/.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/moment.h"
#include "watcher/config/config.h"
#include "watcher/intake/claimed_file.h"
#include "watcher/intake/intake_messages.h"
#include "watcher/intake/noticing/drop_directory.h"
#include "watcher/intake/open_claims.h"
#include "watcher/ledger/extract.h"
#include "watcher/ledger/ledger.h"
#include "watcher/spool/claim.h"
#include "watcher/spool/spool.h"

namespace caravel::watcher {

/// Brings the ledger and the claims' directories together again:
///
///   the ledger's row    the file    what is done
///   open                there       the claim is taken up again
///   open                gone        not claimed yet: the row is forgotten; read before: it failed
///   done, failed        there       the file is put away
///   none                there       the claim is adopted, if a feed takes its name
class Recovery {
 public:
  /// All must outlive it. `origin`: whose extracts are ours, see Intake.
  Recovery(const Config& config, const Spool& spool, Ledger& ledger,
           const DropDirectories& directories, const OpenClaims& open, Origin origin,
           IntakeMessages& messages)
      : config_(config),
        spool_(spool),
        ledger_(ledger),
        directories_(directories),
        open_(open),
        origin_(origin),
        messages_(messages) {}

  /// Takes up the claims in `work` (SPOOL/work) and in the open drop directories that are not open
  /// yet. May be repeated at any time, as when a drop directory is there again.
  [[nodiscard]] std::vector<ClaimedFile> adopt(const ClaimRoot& work, const Moment& now);

  /// Puts away what is done or failed and could not be put away when it ended.
  void put_away_again(const ClaimRoot& work);

 private:
  using Known = std::map<std::string, Extract>;  // by claim id

  [[nodiscard]] std::optional<Known> known_extracts();
  /// `directory`: the drop directory whose claims alone lie in `root`; nullptr for work/. False if
  /// the root could not be listed: then nothing is known of the files in it.
  [[nodiscard]] bool adopt_root(const ClaimRoot& root, const DropDirectory* directory, Known& known,
                                const Moment& now, std::vector<ClaimedFile>& adopted);
  std::optional<ClaimedFile> adopt_claim(const Claim& claim, const std::optional<Extract>& extract,
                                         const ClaimRoot& root, const DropDirectory* directory,
                                         const Moment& now);
  void remember_manifest(const FeedConfig& feed, const std::string& name, const Moment& now);
  [[nodiscard]] bool is_in_root(const ClaimRoot& work, const Extract& extract) const;
  void look_elsewhere(const ClaimRoot& work, const Extract& extract, const Moment& now,
                      std::vector<ClaimedFile>& adopted);
  [[nodiscard]] const ClaimRoot* old_root_of(const ClaimRoot& work, const Extract& extract);
  void settle_without_file(const ClaimRoot& work, const Extract& extract, const Moment& now);
  [[nodiscard]] const FeedConfig* feed_for(const std::string& name, NameKind kind,
                                           const DropDirectory* directory) const;

  const Config& config_;
  const Spool& spool_;
  Ledger& ledger_;
  const DropDirectories& directories_;
  const OpenClaims& open_;
  const Origin origin_;
  IntakeMessages& messages_;
  std::vector<std::unique_ptr<ClaimRoot>> old_roots_;
};

}  // namespace caravel::watcher
