#include "watcher/describe/describe.h"

#include "formatter/explain/explainer.h"
#include "formatter/explain/statistics.h"
#include "watcher/service/console.h"

namespace caravel::watcher {
namespace {

/// The columns of a file or a pipe, which has no width.
constexpr std::size_t kWidthOfAFile = 120;

}  // namespace

Result<formatter::FormatResult> describe(formatter::Input& input,
                                         const formatter::FormatRequest& request,
                                         const Description& wanted, const StopSignal& stop) {
  const std::size_t width = columns_of_stdout(kWidthOfAFile);
  formatter::Explainer explainer(request.years, width);
  formatter::Statistics statistics(request.years);
  formatter::Output csv(-1);
  formatter::Output sidecar(-1);
  formatter::Rejects rejects(
      [&](std::uint64_t, std::uint64_t, std::string_view reason, std::string_view) {
        explainer.note_reject(reason);
        statistics.note_reject(reason);
      });
  formatter::StyledText text;
  formatter::FormatMonitor monitor;
  monitor.stop = &stop;
  monitor.on_line = [&](const formatter::SeenLine& seen) -> Result<> {
    if (wanted.summary) statistics.see(seen);
    if (!wanted.lines) return {};
    text.clear();
    explainer.explain(seen, text);
    return print(text);
  };
  CARAVEL_ASSIGN_OR_RETURN(auto result,
                           format_extract(input, request, {csv, sidecar, rejects}, monitor));
  if (wanted.summary && result.format != nullptr) {
    text.clear();
    statistics.append_to(*result.format, width, text);
    CARAVEL_TRY(print(text));
  }
  return result;
}

}  // namespace caravel::watcher
