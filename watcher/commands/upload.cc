// caravel upload
#include <filesystem>

#include <fmt/format.h>

#include "watcher/commands/by_hand.h"
#include "watcher/commands/setup.h"
#include "watcher/service/console.h"

namespace caravel::watcher {

namespace {

/// Before the first file is loaded: a misspelt name should be told at once, not after an hour.
Result<> expect_files(const std::vector<std::string>& files) {
  for (const std::string& file : files) {
    std::error_code error;
    if (!std::filesystem::is_regular_file(file, error)) {
      return fail(ErrorKind::usage, fmt::format("{}: no such file", file));
    }
  }
  return {};
}

Result<int> run_upload(const CommandCall& call) {
  const std::vector<std::string>& files = call.arguments.operands;
  if (files.empty()) return fail(ErrorKind::usage, "upload: names no file; see --help");
  CARAVEL_ASSIGN_OR_RETURN(const Settings settings, load_settings(call, Secrets::read));
  CARAVEL_ASSIGN_OR_RETURN(const FeedConfig* const feed,
                           choose_feed(settings.config, call.arguments.get("feed")));
  CARAVEL_TRY(expect_files(files));
  // A CSV without a sidecar is loaded as an extract in the shipped format `csv`.
  const formatter::Format* const csv = settings.formats.find("csv");
  return load_by_hand(call, settings, *feed, files, [&](const std::string& path, ExtractJob& job) {
    job.origin = Origin::upload;
    job.reprocess = call.arguments.has("reprocess");
    std::error_code error;
    if (std::filesystem::exists(path + ".sidecar", error)) {
      job.prepared = true;
      return;
    }
    job.by_hand.format = csv;
    say("warning: {}: has no sidecar: it counts as an extract of its own, and its rows get other "
        "ids "
        "than those of the extract that it was made of",
        path);
  });
}

}  // namespace

Command upload_command() {
  return {.name = "upload",
          .about = "load CSV files",
          .usage = "[options] CSV…",
          .help =
              "Loads CSV files. With its sidecar beside it (CSV.sidecar, from the spool's csv/\n"
              "or from `caravel format --sidecar`) a CSV gives the same rows with the same ids\n"
              "as the extract that it came from; without one it counts as an extract of its own.",
          .options = {value("feed=NAME",
                            "the feed that they belong to; not needed if there is only one"),
                      flag("reprocess", "replace stored rows that differ"), wait_option()},
          .operands = Operands::many,
          .run = run_upload};
}

}  // namespace caravel::watcher
