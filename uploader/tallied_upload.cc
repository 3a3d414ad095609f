#include "uploader/tallied_upload.h"

#include <iterator>
#include <utility>

namespace caravel::uploader {

/// Counts only grow. So after an outage run() goes on with the rows that are not counted yet, and
/// no row is counted twice.
void TalliedUpload::acknowledge(const UploadCounts& counts, std::vector<RefusedRow> refused) {
  counts_.stored += counts.stored;
  counts_.already_there += counts.already_there;
  counts_.differs += counts.differs;
  counts_.replaced += counts.replaced;
  counts_.more_lines_stored += counts.more_lines_stored;
  counts_.more_lines_already_there += counts.more_lines_already_there;
  refused_.insert(refused_.end(), std::make_move_iterator(refused.begin()),
                  std::make_move_iterator(refused.end()));
  // Last, so that whoever is called sees the new counts.
  if (on_progress) on_progress(acknowledged());
}

}  // namespace caravel::uploader
