// The store type `postgresql`: its keys in the configuration, and what they say.
#pragma once

#include <chrono>
#include <string>

#include "uploader/postgresql/wire/conninfo.h"
#include "uploader/store_type.h"

namespace caravel::uploader {

/// The password is in here, in `login`: never log one.
struct PostgresqlConfig : StoreSettings {
  Login login;
  std::string schema = "public";
  bool create = true;  // tables and columns that are missing are made
  std::chrono::milliseconds timeout{60'000};
};

[[nodiscard]] StoreType postgresql_store_type();

}  // namespace caravel::uploader
