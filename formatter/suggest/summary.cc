#include "formatter/suggest/summary.h"

#include <fmt/format.h>

namespace caravel::formatter {

std::vector<std::string> summary_of(const Suggestion& suggestion, const Sample& sample) {
  const Trial& trial = suggestion.trial;
  std::vector<std::string> lines = {
      fmt::format("{}: takes {} of {} lines{}", suggestion.about, trial.taken, trial.lines,
                  sample.whole ? "" : " (the log is longer: these are its first)")};
  // What a single kind takes is said already.
  if (trial.kinds.size() > 1) {
    for (const Trial::Kind& kind : trial.kinds) {
      lines.push_back(fmt::format("  {} lines: {}", kind.rows, kind.name));
    }
  }
  if (!suggestion.structured) {
    lines.emplace_back(
        "no structure was recognised: each line is one text. Write the kinds that you know before "
        "the last one (docs/formats.md)");
  }
  if (suggestion.time.empty()) {
    lines.emplace_back("no time was found that every line has: rows are known by their place");
  }
  for (const Trial::Missed& missed : trial.missed) {
    lines.push_back(
        fmt::format("line {} is a reject: {}: {}", missed.line, missed.reason, missed.text));
  }
  const std::uint64_t more = trial.lines - trial.taken;
  if (more > trial.missed.size()) {
    lines.push_back(fmt::format("and {} more", more - trial.missed.size()));
  }
  if (!suggestion.known.empty()) {
    lines.push_back(fmt::format(
        "the format '{}', which is there already, takes these lines too: you may need no other",
        suggestion.known));
  }
  return lines;
}

}  // namespace caravel::formatter
