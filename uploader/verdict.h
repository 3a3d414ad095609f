// What a row's id that is taken means: the rule behind "nothing twice". Pure; every store uses it.
//
// Ids are deterministic, so a row that is sent again meets the row that is there. Who stored the
// row that is there, and whether the two are the same, says how ours is counted:
//
//   the stored row's sum  its extract and line  verdict
//   ours                  ours                  stored: by us, before a crash or a lost reply;
//                                               already_there if the extract was loaded whole
//                                               before
//   ours                  others                already_there
//   another               any                   differs: it stays; with --reprocess, replace
#pragma once

#include <cstdint>
#include <string_view>

#include "uploader/store.h"

namespace caravel::uploader {

/// What a store keeps of a row beside its columns.
struct RowCredit {
  std::string_view extract;  // see extract_tag()
  std::uint64_t line = 0;
  std::string_view sum;  // see sum_text()
};

enum class Verdict : std::uint8_t {
  stored,
  replaced,       // stored, in the place of a row with another sum
  already_there,  // the same row
  differs,        // a row with another sum, which stays
  replace,        // nothing is settled: the store must put our row into its place
};

/// `ours` has the id of `there`. Of `options`, `reprocess` and `loaded_before` count.
/// `sent_to_replace`: we have sent this row to replace another, and do not know whether it arrived.
[[nodiscard]] Verdict verdict_on_taken_id(const RowCredit& ours, const RowCredit& there,
                                          const UploadOptions& options,
                                          bool sent_to_replace = false);

/// Counts a row of so many lines with this verdict; one with `replace` is not counted yet.
void count(Verdict verdict, std::uint64_t lines, UploadCounts& counts);

}  // namespace caravel::uploader
