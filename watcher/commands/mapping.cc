// caravel mapping
#include <sys/stat.h>

#include <chrono>

#include <fmt/format.h>

#include "base/file.h"
#include "base/text.h"
#include "watcher/commands/command_line.h"
#include "watcher/commands/setup.h"
#include "watcher/files/name_rules.h"
#include "watcher/ledger/ledger.h"
#include "watcher/ledger/stores.h"

namespace caravel::watcher {
namespace {

constexpr std::size_t kMostBytes = std::size_t{16} << 20;

}  // namespace

int run_mapping(const CommandCall& call) {
  CommandLine line(
      "caravel mapping [--store NAME] -m vehicle|route|stop -e YYYY-MM-DD FILE",
      "Stores a mapping document: what the numbers in rows stand for, from a day on. FILE is\n"
      "a CSV with a header and at least these columns: vehicle: vid, bus; route: rid, Route;\n"
      "stop: sid, Stop. The same file for the same day is one document.");
  line.positional(false)
      .value("mapping-type,m", "vehicle, route or stop")
      .value("effective-date,e", "the first day on which it holds")
      .value("store", "the store that it goes to; not needed if there is only one");
  if (auto parsed = line.parse(call.arguments); !parsed) return report_error(parsed.error());
  if (line.help_wanted()) {
    fmt::print("{}", line.help());
    return kExitGood;
  }
  if (line.arguments().empty() || !line.has("mapping-type") || !line.has("effective-date")) {
    return report_error(
        {ErrorKind::usage,
         "mapping: needs a file, -m vehicle|route|stop and -e YYYY-MM-DD; see --help",
         {}});
  }
  auto settings = load_settings(call, true);
  if (!settings) return report_error(settings.error());
  auto store = choose_store(settings->config, line.get("store"));
  if (!store) return report_error(store.error());

  const std::string& path = line.arguments().front();
  uploader::Mapping mapping;
  mapping.type = *line.get("mapping-type");
  mapping.effective_date = *line.get("effective-date");
  mapping.timestamp = time_text(std::chrono::system_clock::now());
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
    return report_error({ErrorKind::usage, printable(path) + ": is no regular file", {}});
  }
  auto csv = read_file(path, kMostBytes);
  if (!csv) return report_error({ErrorKind::usage, csv.error().message, {}});
  mapping.csv = std::move(*csv);
  if (auto checked = uploader::check_mapping(mapping); !checked) {
    return report_error(with_context(printable(path), checked.error()));
  }

  // Before the first start there is no ledger, and nothing was ever stored.
  auto ledger = Ledger::open(settings->config.ledger_path(), Ledger::Mode::read_only);
  bool may_create = true;
  if (ledger) {
    auto known = ledger->stores().may_create(store_place(**store));
    if (!known) return report_error(known.error());
    may_create = *known;
  }
  auto stored = uploader::make_store(**store)->put_mapping(mapping, may_create);
  if (!stored) return report_error(stored.error());
  fmt::print(stderr, "caravel: {}: {} as {}\n", printable(path),
             *stored ? "stored" : "there already", uploader::mapping_id(mapping));
  return kExitGood;
}

}  // namespace caravel::watcher
