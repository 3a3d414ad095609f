#include "uploader/verdict.h"

namespace caravel::uploader {

Verdict verdict_on_taken_id(const RowCredit& ours, const RowCredit& there,
                            const UploadOptions& options, bool sent_to_replace) {
  // The id holds a digest of the line (formatter/rows/row_id.h), so another sum under the same id
  // means that the same line was formatted in another way. Only a person can say that our row is
  // the better one: that is --reprocess.
  if (ours.sum != there.sum) return options.reprocess ? Verdict::replace : Verdict::differs;
  // The line number counts too: a line that an extract repeats has one id, and its second copy is
  // not the row that we stored.
  const bool own = ours.extract == there.extract && ours.line == there.line;
  if (!own) return Verdict::already_there;
  // The last look found another sum, and now the sum is ours: our replacement arrived, though its
  // reply was lost. That the extract was loaded before does not matter.
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
    // The stored row stays, so ours counts as already there, and as differing on top.
    case Verdict::differs:
      ++counts.already_there;
      ++counts.differs;
      break;
    case Verdict::replace:
      break;
  }
}

}  // namespace caravel::uploader
