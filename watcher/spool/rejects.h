// rejects/: the lines that no record kind matched, kept and explained.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"
#include "watcher/ledger/extract.h"
#include "watcher/spool/spool.h"

namespace caravel::watcher {

/// The files that an extract leaves in rejects/, as names of temporaries in that directory (they
/// start with kTemporaryPrefix; the content is synced). An empty name: there is none.
struct RejectFiles {
  std::string rejects;  // -> NAME.rejects
  std::string cut;      // -> NAME.cut
  std::string reasons;  // -> NAME.reasons.csv
  /// Bytes of the extract as it came, if rejects are kept by their place in it
  /// (formatter::Rejects): it must then stay in done/ as long as these files do (originals.h).
  std::optional<std::uint64_t> original{};
};

/// Gives the files their names and returns the NAME used: the extract's own, or NAME~<8 hex of the
/// SHA-256> if another extract's files have it. The same extract replaces its own files, so that
/// a replay makes no second copy, and what it no longer has is removed; all three names empty
/// removes them all (and returns an empty name). Whose files they are stands in the hidden
/// .NAME.owner beside them: the SHA-256 and the feed. Several processes may do this at once.
[[nodiscard]] Result<std::string> publish_reject_files(const Spool& spool, const std::string& feed,
                                                       const std::string& name,
                                                       std::string_view sha256,
                                                       const RejectFiles& files);

/// Where the files of an extract are, as one path without their endings ("SPOOL/rejects/NAME");
/// nothing if none of them is there. `spool` is a path: nothing is made or locked.
[[nodiscard]] std::optional<std::string> find_reject_files(const std::string& spool,
                                                           const std::string& feed,
                                                           const std::string& name,
                                                           std::string_view sha256);

/// The path of the spool whose rejects/ has those of the extract: captures have spools of their
/// own, in which their done/ is too.
[[nodiscard]] std::string spool_of(const std::string& main_spool, const Extract& extract);

/// Whose the reject files called `base` are.
struct RejectOwner {
  std::string base;
  std::string sha256;  // of the extract
  std::string feed;
};
/// Of all reject files in the directory, in no order; what cannot be read is left out.
[[nodiscard]] Result<std::vector<RejectOwner>> reject_owners(const Spool& spool);
/// The names that the reject files called `base` may have.
[[nodiscard]] std::vector<std::string> reject_file_names(const std::string& base);
/// The hidden file that says whose they are. It goes last.
[[nodiscard]] std::string reject_owner_name(const std::string& base);
/// Keeps everybody from publishing reject files as long as it is open; closed if another process
/// does so now.
[[nodiscard]] UniqueFd lock_rejects(const Spool& spool);

/// Whether any of the three files called `name` is there.
[[nodiscard]] Result<bool> has_reject_files(const Spool& spool, const std::string& name);

}  // namespace caravel::watcher
