#include "watcher/intake/writer_check.h"

#include "watcher/files/file_system.h"

namespace caravel::watcher {

std::optional<WriterCheck::Busy> WriterCheck::busy(const ReadyExtract& extract,
                                                   const ClaimLook& look, unsigned looks,
                                                   const Moment& now) {
  const auto traits = file_system_of(look.fd.get());
  const WriterState writer = writer_state(look.fd.get());
  // A writer that was seen starts the time anew for which the file must be still.
  if (writer == WriterState::present) {
    forget(extract.claim.id);
    return Busy{"a process has it open for writing", writer_recheck_delay(looks)};
  }
  // `none` is believed only where a lease sees every writer there can be: on NFS or overlayfs it
  // may miss one (FileSystemTraits::leases_tell).
  if (writer == WriterState::none && traits && traits->leases_tell) return std::nullopt;
  // The ctime of the file is the rename of the claim, so the wait is at least `settle` from now.
  const std::chrono::milliseconds settle = extract.feed->settle_without_lease;
  if (still_.look(0, extract.claim.id, look.stamp, now, settle, false)) return std::nullopt;
  if (writer == WriterState::forbidden && traits && traits->leases_tell) {
    return Busy{
        "it is another user's, and no lease may be taken without CAP_LEASE: it must be "
        "still for the settle time",
        settle, true};
  }
  return Busy{"no lease can be taken here: it must be still for the settle time", settle};
}

}  // namespace caravel::watcher
