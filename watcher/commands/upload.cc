// caravel upload
#include <filesystem>

#include <fmt/format.h>

#include "watcher/commands/by_hand.h"
#include "watcher/commands/command_line.h"
#include "watcher/commands/setup.h"

namespace caravel::watcher {

int run_upload(const CommandCall& call) {
  CommandLine line("caravel upload [options] CSV…",
                   "Loads CSV files. With its sidecar beside it (CSV.sidecar, from the spool's csv/ or\n"
                   "from `caravel format --sidecar`) a CSV gives the same rows with the same ids as the\n"
                   "extract that it came from; without one it counts as an extract of its own.");
  line.positional(true)
      .value("feed", "the feed that they belong to; not needed if there is only one")
      .flag("reprocess", "replace stored rows that differ");
  if (auto parsed = line.parse(call.arguments); !parsed) return report_error(parsed.error());
  if (line.help_wanted()) {
    fmt::print("{}", line.help());
    return kExitGood;
  }
  if (line.arguments().empty()) {
    return report_error({ErrorKind::usage, "upload: names no file; see --help", {}});
  }
  auto settings = load_settings(call, true);
  if (!settings) return report_error(settings.error());
  auto feed = choose_feed(settings->config, line.get("feed"));
  if (!feed) return report_error(feed.error());
  const formatter::Format* const csv = settings->formats.find("csv");
  for (const std::string& file : line.arguments()) {
    std::error_code error;
    if (!std::filesystem::is_regular_file(file, error)) {
      return report_error({ErrorKind::usage, fmt::format("{}: no such file", file), {}});
    }
  }
  return load_by_hand(call, *settings, **feed, line.arguments(),
                      [&](const std::string& path, ExtractJob& job) {
                        job.origin = Origin::upload;
                        job.reprocess = line.has("reprocess");
                        std::error_code error;
                        if (std::filesystem::exists(path + ".sidecar", error)) {
                          job.prepared = true;
                          return;
                        }
                        job.by_hand.format = csv;
                        fmt::print(stderr,
                                   "caravel: warning: {}: has no sidecar: it counts as an extract of "
                                   "its own, and its rows get other ids than those of the extract "
                                   "that it was made of\n",
                                   path);
                      });
}

}  // namespace caravel::watcher
