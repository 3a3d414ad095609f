#include "watcher/intake/claimed_file.h"

#include <fmt/format.h>

#include "watcher/files/host_name.h"

namespace caravel::watcher {

NewClaim row_of(const ClaimedFile& file, Origin origin) {
  NewClaim row;
  row.claim = file.claim.id;
  row.feed = file.feed->name;
  row.name = file.claim.name;
  // Where the rename will put the file: the row is committed before it. Size and mtime stay 0 here;
  // a caller that has a stamp sets them, and formatting writes those of the bytes that it read.
  row.path = file.path();
  row.origin = origin;
  row.store = file.feed->store;
  row.host = host_name();
  return row;
}

}  // namespace caravel::watcher
