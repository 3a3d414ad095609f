#include "uploader/verdict.h"

#include <numeric>

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

void count(Verdict verdict, std::uint64_t lines, UploadCounts& counts) {
  switch (verdict) {
    case Verdict::stored:
    case Verdict::replaced:
      ++counts.stored;
      counts.more_lines_stored += lines - 1;
      if (verdict == Verdict::replaced) ++counts.replaced;
      break;
    // With `differs` the stored row stays, so ours counts as already there, and as differing on
    // top.
    case Verdict::already_there:
    case Verdict::differs:
      ++counts.already_there;
      counts.more_lines_already_there += lines - 1;
      if (verdict == Verdict::differs) ++counts.differs;
      break;
    case Verdict::replace:
      break;
  }
}

std::uint64_t lines_of(const std::vector<RefusedRow>& rows) {
  return std::accumulate(rows.begin(), rows.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const RefusedRow& row) { return sum + row.lines; });
}

}  // namespace caravel::uploader
