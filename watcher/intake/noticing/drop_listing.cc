#include "watcher/intake/noticing/drop_listing.h"

#include <utility>

#include "base/text.h"

namespace caravel::watcher {
namespace {

/// Senders choose how many names there are: `status` has more of them.
constexpr std::size_t kMostUnmatched = 20;

}  // namespace

void DropListing::add_waiting(const FeedConfig& feed, const std::string& name,
                              const FileStamp& stamp, std::string why) {
  std::vector<InDrop>& names = waiting_[&feed];
  // The ledger takes no more of them either.
  if (names.size() >= DropNames::kMaxInDrop) return;
  names.push_back({printable(name), stamp.size, stamp.mtime_ns, std::move(why)});
}

void DropListing::add_left_alone(const ScanEntry& entry) {
  if (entry.verdict.kind == NameKind::unmatched && unmatched_.size() < kMostUnmatched) {
    unmatched_.push_back(entry.name);
  }
  if (left_alone_.size() >= DropNames::kMaxLeftAlone) return;
  left_alone_.push_back(
      {printable(entry.name),
       std::string(entry.has_good_name() ? describe(entry.kind) : entry.verdict.reason)});
}

Result<> DropListing::write(Ledger& ledger, const DropDirectory& directory, Origin origin,
                            Time now) {
  Result<> first_error;
  const auto note = [&](Result<> written) {
    if (!written && first_error) first_error = std::move(written);
  };
  // Every feed is written, also one without a file now: what the ledger knew of its files is over.
  for (const FeedConfig* feed : directory.feeds()) {
    note(ledger.drop_names().set_in_drop(feed->name, waiting_[feed], now, origin));
  }
  // The outbox of a capture holds nothing but its extracts. A watcher of the same feed writes what
  // it leaves alone, and the two must not overwrite each other.
  if (origin != Origin::capture) {
    note(ledger.drop_names().set_left_alone(directory.feeds().front()->name, left_alone_, now));
  }
  return first_error;
}

}  // namespace caravel::watcher
