// The one connection of a store, made when it is needed and kept from extract to extract.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/stop_signal.h"
#include "uploader/postgresql/config.h"
#include "uploader/postgresql/wire/connection.h"

namespace caravel::uploader {

/// Errors begin with the store's name and, once it is known, its place. One thread at a time.
class Session {
 public:
  explicit Session(const PostgresqlConfig& config) : config_(config) {}

  [[nodiscard]] const PostgresqlConfig& config() const { return config_; }

  /// The open connection: made anew, silently, if the server has closed the one that was there.
  [[nodiscard]] Result<Connection*> connect(const StopSignal& stop);
  /// How often connect() made one: another number, another session of the server.
  [[nodiscard]] std::uint64_t times_connected() const { return times_connected_; }
  /// Whatever is under way ends, and the server takes it back.
  void close() { connection_.reset(); }

  /// The database's own number: one that was dropped and made again has another.
  [[nodiscard]] const std::string& database() const { return database_; }
  /// A table of the store's schema, as statements name it.
  [[nodiscard]] std::string table(std::string_view name) const;

  /// "STORE: postgresql://…: …"; an error of kind stopped stays as it is.
  [[nodiscard]] Error said_here(Error error) const;
  template <class Work>
  auto in_context(Work work) const -> decltype(work()) {
    auto result = work();
    if (!result) return tl::unexpected(said_here(std::move(result).error()));
    return result;
  }

 private:
  [[nodiscard]] Result<> settle(const StopSignal& stop);

  PostgresqlConfig config_;
  std::optional<Connection> connection_;
  std::string database_;
  std::uint64_t times_connected_ = 0;
};

}  // namespace caravel::uploader
