// What a store of the configuration says, as plain values. Secrets are in here: never log one.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace caravel::uploader {

enum class StoreType { sqlite, couchdb };

enum class Documents { rows, feed, both };

struct StoreConfig {
  std::string name;  // its key under `stores:`
  StoreType type = StoreType::sqlite;

  // sqlite
  std::string path;

  // couchdb
  std::string url;  // without user and password
  std::string database;
  std::string user;
  std::string password;
  bool use_netrc = false;
  std::string ca_file;  // "" = the system's
  bool create_database = true;
  bool gzip = false;
  unsigned connections = 2;
  std::chrono::milliseconds timeout{30'000};  // a whole request, reply included

  // both
  Documents documents = Documents::both;
  bool documents_given = false;  // the configuration says so; if not, `capture` stores rows only
  std::size_t batch_rows = 1000;
  std::size_t batch_bytes = 4 << 20;
};

}  // namespace caravel::uploader
