#include "watcher/sources/sequence.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "watcher/files/directory.h"
#include "watcher/files/name_rules.h"

namespace caravel::watcher {

std::optional<SequencePlace> sequence_of(const std::string& feed, const std::string& name,
                                         const std::optional<Manifest>& manifest) {
  // A manifest names log and host each for itself, and no rename of the file changes that.
  if (manifest) {
    return SequencePlace{
        {feed, manifest->run, fmt::format("{} on {}", manifest->log, manifest->host)},
        manifest->sequence};
  }
  // A name has log and host in one, and nothing tells where the host begins. What a manifest once
  // said of the run stays: `by_name_only`.
  const auto parts = parse_tail_name(name);
  if (!parts) return std::nullopt;
  return SequencePlace{{feed, std::string(parts->run), std::string(parts->log_and_host), true},
                       parts->sequence};
}

std::set<std::uint64_t> numbers_in(const std::string& directory, std::string_view run) {
  // Senders choose the names: a flood of them must not fill the memory.
  constexpr std::size_t kMost = 10'000;
  std::set<std::uint64_t> numbers;
  // A number that is not found here costs little: its gap is told of too early, and is closed when
  // the extract comes. So errors are passed over.
  const auto fd = open_directory(directory);
  if (!fd) return numbers;
  (void)for_each_name(fd->get(), [&](const std::string& name) {
    const auto parts = parse_tail_name(name);
    if (parts && parts->run == run) numbers.insert(parts->sequence);
    return numbers.size() < kMost;
  });
  return numbers;
}

std::string describe(const SequenceGap& gap) {
  return gap.first == gap.last ? fmt::format("{}", gap.first)
                               : fmt::format("{} to {}", gap.first, gap.last);
}

std::vector<std::string> describe(const SequencePlace& place, const Arrival& arrival) {
  std::vector<std::string> out;
  const std::string source = printable(place.run.source);
  if (!arrival.opened.empty()) {
    std::string missing;
    constexpr std::size_t kMost = 5;  // in a line of the log; `status` lists more
    for (std::size_t i = 0; i < std::min(kMost, arrival.opened.size()); ++i) {
      missing += (i == 0 ? "" : ", ") + describe(arrival.opened[i]);
    }
    if (arrival.opened.size() > kMost) {
      missing += fmt::format(" and {} gaps more", arrival.opened.size() - kMost);
    }
    out.push_back(fmt::format("{}: extract {} of run {} is here, and {} is not: late or lost",
                              source, place.sequence, place.run.run, missing));
  }
  if (arrival.closed) {
    out.push_back(fmt::format("{}: extract {} of run {}, which was missing, has come{}", source,
                              place.sequence, place.run.run,
                              arrival.gaps == 0 ? "; nothing is missing now" : ""));
  }
  return out;
}

}  // namespace caravel::watcher
