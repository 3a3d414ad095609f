#include "uploader/sqlite/config.h"

#include "base/yaml_section.h"
#include "uploader/sqlite/store.h"

namespace caravel::uploader {
namespace {

Result<> read(const StoreSection& section, StoreConfig& store) {
  SqliteConfig own;
  // The default: a configuration without any key has a store that works.
  own.path = section.state + "/rows.db";
  SectionReader reader(section.node);
  reader.path("path", own.path, section.folder);
  if (own.path == section.ledger) {
    reader.fail_at("path", "this is the ledger's own file; rows need one of their own");
  }
  CARAVEL_TRY(reader.result());
  store.place = own.path;
  store.takes_groups = true;
  // The settings may differ from those of the file: `capture` stores rows only.
  store.make = [own](const StoreSettings& settings) {
    SqliteConfig config = own;
    static_cast<StoreSettings&>(config) = settings;
    return make_sqlite_store(config);
  };
  return {};
}

}  // namespace

StoreType sqlite_store_type() { return {"sqlite", {"path"}, read}; }

}  // namespace caravel::uploader
