#include "uploader/postgresql/session.h"

#include <fmt/format.h>

#include "uploader/credentials.h"

namespace caravel::uploader {
namespace {

/// What a session of ours must have, whatever the server's defaults are:
/// - times are read and written in UTC, in one form;
/// - a commit that was acknowledged is on the disk;
/// - a server that is asked no longer, because we are gone, gives up its locks;
/// - rows of the staging table are looked up by the key. A temporary table has no statistics, and a
///   plan that reads the whole feed's table for each batch would be the wrong one.
std::string settings_of(std::chrono::milliseconds timeout) {
  return fmt::format(
      "SELECT set_config('TimeZone', 'UTC', false), set_config('DateStyle', 'ISO', false),"
      " set_config('statement_timeout', '{0}', false), set_config('lock_timeout', '{0}', false),"
      " set_config('idle_in_transaction_session_timeout', '{0}', false),"
      " set_config('enable_hashjoin', 'off', false), set_config('enable_mergejoin', 'off', false),"
      " CASE current_setting('synchronous_commit') WHEN 'off'"
      " THEN set_config('synchronous_commit', 'on', false) END;"
      // Since version 14; unknown before, and no error.
      " SELECT set_config(name, '2000', false) FROM pg_catalog.pg_settings"
      " WHERE name = 'client_connection_check_interval';"
      " SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()",
      timeout.count());
}

}  // namespace

Result<Connection*> Session::connect(const StopSignal& stop) {
  if (connection_ && connection_->still_there(stop)) return &*connection_;
  connection_.reset();
  // Somebody may have changed the password since the program was started.
  if (const std::string& file = config_.login.password_file; !file.empty()) {
    if (auto password = reread_password(file)) config_.login.password = *std::move(password);
  }
  auto settled = in_context([&]() -> Result<> {
    CARAVEL_ASSIGN_OR_RETURN(const auto options, options_for(config_.login));
    auto made = Connection::open(options, config_.timeout, stop);
    if (!made) return tl::unexpected(std::move(made).error());
    connection_.emplace(*std::move(made));
    return settle(stop);
  });
  if (!settled) {
    connection_.reset();
    return tl::unexpected(std::move(settled).error());
  }
  ++times_connected_;
  return &*connection_;
}

Result<> Session::settle(const StopSignal& stop) {
  CARAVEL_ASSIGN_OR_RETURN(const Reply reply, connection_->run(settings_of(config_.timeout), stop));
  database_ = reply.rows() == 1 ? std::string(reply.text(0, 0)) : "";
  return {};
}

std::string Session::table(std::string_view name) const {
  return quoted_name(config_.schema) + "." + quoted_name(name);
}

Error Session::said_here(Error error) const {
  if (error.kind == ErrorKind::stopped) return error;
  return with_context(config_.name, with_context(config_.login.place(), std::move(error)));
}

}  // namespace caravel::uploader
