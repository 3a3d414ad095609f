// What a kind of store tells the program of itself: its name, its keys, how its section is read.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "uploader/store_config.h"

namespace caravel {
class YamlNode;
}

namespace caravel::uploader {

/// One store's section of the configuration file, and what its reader may know of the rest. All of
/// it must outlive the reading.
struct StoreSection {
  const YamlNode& node;
  std::string name;    // the store's
  std::string folder;  // of the configuration file: relative paths are relative to it
  std::string state;   // the folder of the program's own files
  std::string ledger;  // the ledger's file: no place for rows
  /// Read passwords and look for the files that hold secrets. Commands that open no store leave it.
  bool secrets = true;
  std::string credentials_directory;   // systemd.exec(5), "CREDENTIALS"; "" if there is none
  std::vector<std::string>& warnings;  // "FILE:LINE: key: …", for people
};

/// A kind of store. Each folder of this one that holds a store makes one; the list of all is in
/// watcher/store_types.cc.
struct StoreType {
  std::string name;               // `type:` in the configuration
  std::vector<std::string> keys;  // beside `type`, `batch_rows` and `batch_bytes`
  /// Fills `store`, which holds what every store has already: its place, what it can do, how it is
  /// made. Keys were checked. Errors: kind usage, with file, line and key.
  std::function<Result<>(const StoreSection& section, StoreConfig& store)> read;
};

/// In the order in which messages name them. The first is the type of the store that a
/// configuration without `stores:` has: it needs no key.
using StoreTypes = std::vector<StoreType>;

}  // namespace caravel::uploader
