#include "watcher/ledger/extract.h"

#include <fmt/format.h>

#include "watcher/ledger/rows.h"

namespace caravel::watcher {
namespace {

// The words stand in the rows of every ledger in the field: one may be added, none changed.
constexpr WordTable<State, 7> kStates{
    {"seen", "waiting", "claimed", "formatted", "uploading", "done", "failed"}};
static_assert(kStates.ends_with(State::failed));
constexpr WordTable<Origin, 4> kOrigins{{"drop", "process", "upload", "capture"}};
static_assert(kOrigins.ends_with(Origin::capture));
constexpr WordTable<Settled, 6> kSettled{
    {"", "acknowledged", "loaded", "retried", "removed", "broken_off"}};
static_assert(kSettled.ends_with(Settled::broken_off));

}  // namespace

std::string_view name_of(State state) { return kStates.word_of(state); }
std::string_view name_of(Origin origin) { return kOrigins.word_of(origin); }
std::string_view name_of(Settled settled) { return kSettled.word_of(settled); }
std::optional<State> state_of(std::string_view name) { return kStates.value_of(name); }
std::optional<Origin> origin_of(std::string_view name) { return kOrigins.value_of(name); }
std::optional<Settled> settled_of(std::string_view name) { return kSettled.value_of(name); }

Result<> check_line_counts(const LineCounts& formatted, const LineCounts& finished) {
  const auto wrong = [](std::string why) { return fail(ErrorKind::fault, std::move(why)); };
  const std::uint64_t accounted =
      finished.stored + finished.already_there + finished.dropped + finished.rejected;
  // The sum is the promise that no line is lost.
  if (finished.lines != accounted) {
    return wrong(
        fmt::format("{} lines, but {} stored + {} already there + {} dropped + {} rejected = {}",
                    finished.lines, finished.stored, finished.already_there, finished.dropped,
                    finished.rejected, accounted));
  }
  // The sum alone could be right by chance: the upload counts again what formatting counted.
  if (finished.lines != formatted.lines || finished.rows != formatted.rows ||
      finished.dropped != formatted.dropped || finished.rejected < formatted.rejected) {
    return wrong(fmt::format(
        "formatted as {} lines, {} rows, {} dropped, {} rejected; finished as {}, {}, {}, {}",
        formatted.lines, formatted.rows, formatted.dropped, formatted.rejected, finished.lines,
        finished.rows, finished.dropped, finished.rejected));
  }
  // Subtotals cannot exceed what they are a part of.
  if (finished.differs > finished.already_there || finished.replaced > finished.stored ||
      finished.failed != 0) {
    return wrong(fmt::format("{} differs of {} already there, {} replaced of {} stored, {} failed",
                             finished.differs, finished.already_there, finished.replaced,
                             finished.stored, finished.failed));
  }
  return {};
}

}  // namespace caravel::watcher
