// caravel mapping
#include <sys/stat.h>

#include <chrono>

#include <fmt/format.h>

#include "base/file.h"
#include "base/sqlite/sqlite.h"
#include "base/text.h"
#include "uploader/mapping.h"
#include "uploader/store.h"
#include "watcher/commands/setup.h"
#include "watcher/files/name_rules.h"
#include "watcher/ledger/ledger.h"
#include "watcher/ledger/stores.h"
#include "watcher/service/console.h"

namespace caravel::watcher {
namespace {

/// A table of vehicles, routes or stops has some thousand lines; a file beyond this is something
/// else.
constexpr std::size_t kMostBytes = std::size_t{16} << 20;

/// The mapping that the command line describes, checked.
Result<uploader::Mapping> read_mapping(const Arguments& arguments, const std::string& path) {
  uploader::Mapping mapping;
  mapping.type = *arguments.get("mapping-type");
  mapping.effective_date = *arguments.get("effective-date");
  mapping.timestamp = time_text(std::chrono::system_clock::now());
  // A FIFO would block the read for ever.
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
    return fail(ErrorKind::usage, printable(path) + ": is no regular file");
  }
  auto csv = read_file(path, kMostBytes);
  if (!csv) return fail(ErrorKind::usage, csv.error().message);
  mapping.csv = std::move(*csv);
  if (auto checked = uploader::check_mapping(mapping); !checked) {
    return tl::unexpected(with_context(printable(path), checked.error()));
  }
  return mapping;
}

/// Whether the database may be made, if it is missing.
Result<bool> may_create(const Config& config, const uploader::StoreConfig& store) {
  auto ledger = Ledger::open(config.ledger_path(), Ledger::Mode::read_only);
  // A ledger that is damaged may know of rows, and then a database that is missing has vanished.
  if (!ledger && ledger.error().message.find(kDamagedDatabase) != std::string::npos) {
    return tl::unexpected(std::move(ledger).error());
  }
  // Before the first start there is no ledger, and nothing was ever stored.
  if (!ledger) return true;
  return ledger->stores().may_create(store_place(store));
}

Result<int> run_mapping(const CommandCall& call) {
  const Arguments& arguments = call.arguments;
  if (arguments.operands.empty() || !arguments.has("mapping-type") ||
      !arguments.has("effective-date")) {
    return fail(ErrorKind::usage,
                "mapping: needs a file, -m vehicle|route|stop and -e YYYY-MM-DD; see --help");
  }
  const std::string& path = arguments.operands.front();
  CARAVEL_ASSIGN_OR_RETURN(const Settings settings, load_settings(call, Secrets::read));
  CARAVEL_ASSIGN_OR_RETURN(const uploader::StoreConfig* const store,
                           choose_store(settings.config, arguments.get("store")));
  CARAVEL_ASSIGN_OR_RETURN(const uploader::Mapping mapping, read_mapping(arguments, path));
  CARAVEL_ASSIGN_OR_RETURN(const bool creatable, may_create(settings.config, *store));
  CARAVEL_ASSIGN_OR_RETURN(const bool stored,
                           uploader::make_store(*store)->put_mapping(mapping, creatable));
  say("{}: {} as {}", path, stored ? "stored" : "there already", uploader::mapping_id(mapping));
  return kExitGood;
}

}  // namespace

Command mapping_command() {
  return {.name = "mapping",
          .about = "store a table of vehicles, routes or stops",
          .usage = "[--store NAME] -m vehicle|route|stop -e YYYY-MM-DD FILE",
          .help =
              "Stores a mapping document: what the numbers in rows stand for, from a day on.\n"
              "FILE is a CSV with a header and at least these columns: vehicle: vid, bus; route:\n"
              "rid, Route; stop: sid, Stop. The same file for the same day is one document.",
          .options = {value("mapping-type,m=vehicle|route|stop", "what it is a table of"),
                      value("effective-date,e=DATE", "the first day on which it holds"),
                      value("store=NAME",
                            "the store that it goes to; not needed if there is only one")},
          .operands = Operands::one,
          .run = run_mapping};
}

}  // namespace caravel::watcher
