#include "watcher/tail/follow/writing_chain.h"

#include <algorithm>
#include <cstddef>

namespace caravel::tail {
namespace {

/// A logger may write the last lines of one file when it has made the next one already.
constexpr std::int64_t kOverlap = 500'000'000;
/// It makes the next one at once when the last one is full: on a busy machine within this time.
constexpr std::int64_t kAtOnce = 2'000'000'000;

/// Whether the file that was born at `born` came after the one last written at `modified`.
bool follows(std::int64_t born, std::int64_t modified, Proof proof) {
  const std::int64_t gap = born - modified;
  return gap >= -kOverlap && (proof != Proof::touch || gap <= kAtOnce);
}

/// The link from which the chain is followed in both directions: the log, else the newest that
/// needs no proof. `order.size()` if there is none.
std::size_t middle_of(const std::vector<const ChainLink*>& order) {
  std::size_t middle = order.size();
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (order[i]->is_log) return i;
    if (order[i]->proof == Proof::none) middle = i;
  }
  return middle;
}

}  // namespace

std::vector<bool> written_in_turn(const std::vector<ChainLink>& links, std::int64_t now,
                                  std::int64_t grace) {
  std::vector<bool> ours(links.size());
  std::vector<const ChainLink*> order;
  for (const ChainLink& link : links) order.push_back(&link);
  std::stable_sort(order.begin(), order.end(),
                   [](const ChainLink* a, const ChainLink* b) { return a->born < b->born; });
  const auto accept = [&](const ChainLink* link) {
    ours[static_cast<std::size_t>(link - links.data())] = true;
  };
  for (const ChainLink* link : order) {
    if (link->proof == Proof::none) accept(link);
  }
  const std::size_t middle = middle_of(order);
  if (middle == order.size()) return ours;
  // Back in time: each file ended when the next one was born.
  std::int64_t born = order[middle]->born;
  for (std::size_t i = middle; i-- > 0;) {
    const ChainLink& link = *order[i];
    if (link.proof != Proof::none && !follows(born, link.modified, link.proof)) continue;
    accept(&link);
    born = link.born;
  }
  // On in time: each file was born when the one before it ended.
  std::int64_t ended = order[middle]->modified;
  const bool still = now - ended >= grace;
  for (std::size_t i = middle + 1; i < order.size(); ++i) {
    const ChainLink& link = *order[i];
    if (link.proof != Proof::none && !(still && follows(link.born, ended, link.proof))) continue;
    accept(&link);
    ended = std::max(ended, link.modified);
  }
  return ours;
}

}  // namespace caravel::tail
