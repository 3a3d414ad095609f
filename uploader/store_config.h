// What the configuration says of a store, as plain values.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace caravel::uploader {

class Store;

enum class Documents { rows, feed, both };

/// What means the same for every store.
struct StoreSettings {
  std::string name;  // its key under `stores:`
  Documents documents = Documents::both;
  bool documents_given = false;  // the configuration says so; if not, `capture` stores rows only
  std::size_t batch_rows = 1000;
  std::size_t batch_bytes = 4 << 20;
};

/// One store of the configuration. What only its own type understands, secrets too, is inside of
/// `make`; all the rest may be shown to people and written into logs.
struct StoreConfig : StoreSettings {
  std::string type;   // "couchdb", for messages: ask what a store can do, not what it is
  std::string place;  // where the rows are, as the ledger and people name it: a URL or a path
  bool takes_attachments = false;  // the CSV can be a part of the feed document (`attach_csv`)
  bool takes_groups = false;       // Store::begin_group() begins some
  /// Makes the store, with `settings` in the place of those that it was configured with.
  std::function<std::unique_ptr<Store>(const StoreSettings& settings)> make;
};

}  // namespace caravel::uploader
