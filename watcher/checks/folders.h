// Whether the spool and the state directory are there, ours and writable.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "watcher/checks/findings.h"
#include "watcher/config/config.h"

namespace caravel::watcher {

/// With the rights of another user, as long as it lives, if this process is root's: root may do
/// everything, and the question is what the service may. For a program of one thread; its
/// capabilities are gone for that time as well (capabilities(7)).
class RightsOf {
 public:
  explicit RightsOf(uid_t user);
  ~RightsOf();
  RightsOf(const RightsOf&) = delete;
  RightsOf& operator=(const RightsOf&) = delete;

 private:
  std::vector<gid_t> groups_;
  bool changed_ = false;
};

/// Whose service works on the spool, as far as its directories tell: the owner of work/, if the
/// state directory is the same user's; else the spool's owner; this user as long as there is none.
[[nodiscard]] uid_t service_user(const Config& config);

/// What to do about a place where this error came up, as it stands behind the error's own words:
/// ": give the service's user (uid 104) the right to read, write and search it". "" if nobody
/// knows.
[[nodiscard]] std::string remedy_for(int error);

/// The spool, each of its directories, its lock file, and the state directory: there or makeable,
/// of the right kind, of the right owner, writable. A file without a name is made for that in each
/// directory, and is gone when this returns (open(2), O_TMPFILE).
void check_folders(const Config& config, Findings& findings);

}  // namespace caravel::watcher
