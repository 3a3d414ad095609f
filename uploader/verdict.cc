#include "uploader/verdict.h"

namespace caravel::uploader {

Verdict verdict_on_taken_id(const RowCredit& ours, const RowCredit& there,
                            const UploadOptions& options, bool sent_to_replace) {
  if (ours.sum != there.sum) return options.reprocess ? Verdict::replace : Verdict::differs;
  const bool own = ours.extract == there.extract && ours.line == there.line;
  if (!own) return Verdict::already_there;
  // The sum was another when it was looked up: nobody but this load can have made it ours, whether
  // or not the extract was loaded before.
  if (sent_to_replace) return Verdict::replaced;
  return options.loaded_before ? Verdict::already_there : Verdict::stored;
}

void count(Verdict verdict, UploadCounts& counts) {
  switch (verdict) {
    case Verdict::stored:
      ++counts.stored;
      break;
    case Verdict::replaced:
      ++counts.stored;
      ++counts.replaced;
      break;
    case Verdict::already_there:
      ++counts.already_there;
      break;
    case Verdict::differs:
      ++counts.already_there;
      ++counts.differs;
      break;
    case Verdict::replace:
      break;
  }
}

}  // namespace caravel::uploader
