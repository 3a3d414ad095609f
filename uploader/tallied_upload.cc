#include "uploader/tallied_upload.h"

#include <iterator>
#include <utility>

namespace caravel::uploader {

void TalliedUpload::acknowledge(const UploadCounts& counts, std::vector<RefusedRow> refused) {
  counts_.stored += counts.stored;
  counts_.already_there += counts.already_there;
  counts_.differs += counts.differs;
  counts_.replaced += counts.replaced;
  refused_.insert(refused_.end(), std::make_move_iterator(refused.begin()),
                  std::make_move_iterator(refused.end()));
  if (on_progress) on_progress(acknowledged());
}

}  // namespace caravel::uploader
