// Rows as rows of tables of a PostgreSQL server. docs/postgresql.md is the page of what it stores.
#pragma once

#include <memory>

#include "uploader/postgresql/config.h"
#include "uploader/store.h"

namespace caravel::uploader {

/// Connects to nothing yet.
[[nodiscard]] std::unique_ptr<Store> make_postgresql_store(const PostgresqlConfig& config);

}  // namespace caravel::uploader
