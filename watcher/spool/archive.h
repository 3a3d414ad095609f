// Where claimed files go in the end: done/ or failed/. Nothing that is there is ever overwritten.
//
//   the ledger says    put_away() calls    the file goes to
//   done               archive()           done/YYYY/MM/DD/NAME
//   failed             set_aside()         failed/NAME, with failed/NAME.why beside it
//
// The ledger comes first and the move second. A crash between the two leaves a file in work/ whose
// row says done or failed; the next start puts it away.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "watcher/files/file_stamp.h"
#include "watcher/ledger/extract.h"
#include "watcher/ledger/ledger.h"
#include "watcher/spool/claim.h"
#include "watcher/spool/mover.h"
#include "watcher/spool/spool.h"

namespace caravel::watcher {

/// Puts the file of a done extract into done/, that of a failed one into failed/ with the ledger's
/// why, and tells the ledger its new path. Repeat it after a crash at any point: it finishes what
/// was begun. A file that is in neither place is no error, and the ledger keeps the path it has.
[[nodiscard]] Result<> put_away(const Spool& spool, Ledger& ledger, const ClaimRoot& root,
                                const Extract& extract);

/// NAME, then NAME~<8 hex>, NAME~<8 hex>~2, NAME~<8 hex>~3, …
[[nodiscard]] std::string nth_name(std::string_view name, std::string_view hex, unsigned n);
/// The reverse: NAME of what nth_name() made; any other name is its own. A `~` that senders put
/// into their names is left alone.
[[nodiscard]] std::string_view original_name(std::string_view archived);

/// "done/YYYY/MM/DD": where the extracts of one day (UTC) are, relative to the spool.
[[nodiscard]] std::string done_directory(std::chrono::year_month_day day);

/// Opens done/YYYY/MM/DD, made level by level if it is missing, so that each new name is synced
/// with its parent.
[[nodiscard]] Result<UniqueFd> make_day(int done_fd, std::chrono::year_month_day day);
/// Moves the file to the first free of nth_name() in the open directory of a day, and returns that
/// name; nothing if the claim holds no such file.
[[nodiscard]] Result<std::optional<std::string>> move_to_day(Mover& mover, const Claim& claim,
                                                             std::string_view sha256, int day_fd);

/// Moves the claimed file to done/YYYY/MM/DD/NAME; a taken name becomes the next of nth_name() with
/// the extract's SHA-256. Call it after the ledger says done; it is durable on return, and the
/// claim's directory is gone. Returns the path relative to the spool; nothing if the claim holds no
/// such file. Repeating it after a crash at any point finishes it and makes no second copy;
/// find_archived() has the path of one that was finished.
[[nodiscard]] Result<std::optional<std::string>> archive(const Spool& spool, const ClaimRoot& root,
                                                         const Claim& claim,
                                                         std::string_view sha256,
                                                         std::chrono::year_month_day day);

/// The path of a file that archive() has moved when a crash came before the ledger heard of it: the
/// one of its possible names that has this size and mtime.
[[nodiscard]] Result<std::optional<std::string>> find_archived(const Spool& spool,
                                                               const std::string& name,
                                                               std::string_view sha256,
                                                               std::chrono::year_month_day day,
                                                               const FileStamp& stamp);

/// What the manifests of the extract `name` in done/ say, a text each: those that were archived as
/// NAME.manifest, one a day. None if nothing of done/ can be read.
[[nodiscard]] std::vector<std::string> archived_manifests(const Spool& spool,
                                                          const std::string& name);

/// The stamp of a file of the spool, for changed_since(); nothing if it is gone.
[[nodiscard]] Result<std::optional<FileStamp>> stamp_in_spool(const Spool& spool,
                                                              const std::string& relative);

/// Takes a file of done/ or failed/ back into work/ under a new claim, whose row is
/// committed already. Durable on return.
[[nodiscard]] Result<ClaimOutcome> reclaim(const Spool& spool, const std::string& relative,
                                           const Claim& claim);

/// Removes failed/NAME.why of a file that goes in again; `relative`: "failed/NAME".
void withdraw_why(const Spool& spool, const std::string& relative);

/// Moves whatever was claimed to failed/NAME, unopened unless it must be copied, and says why in
/// NAME.why (WhyFile). The .why is there before the file is: a crash between the two leaves a .why
/// too early, never a file unexplained. `sha256` may be empty (the file was never read). Returns
/// the path relative to the spool; nothing if the claim holds no such file. On another file system
/// what is no regular file stays in DROP/.caravel/failed/, and the path returned is absolute.
[[nodiscard]] Result<std::optional<std::string>> set_aside(const Spool& spool,
                                                           const ClaimRoot& root,
                                                           const Claim& claim,
                                                           std::string_view sha256,
                                                           std::string_view why);

}  // namespace caravel::watcher
