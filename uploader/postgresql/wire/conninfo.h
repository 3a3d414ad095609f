// Where a PostgreSQL server is, how to log in there, and how it is known to be the right one.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "base/error.h"

namespace caravel::uploader {

/// NAMEDATALEN - 1: PostgreSQL cuts longer names off, and two may become one.
inline constexpr std::size_t kMostNameBytes = 63;

/// Options of a connection by libpq's names (its manual, "Parameter Key Words").
using ConnectOptions = std::map<std::string, std::string>;

/// What the configuration says. The password is in here: never log one.
struct Login {
  ConnectOptions options;     // of the url: no secret among them
  std::string ca_file;        // "" if none was named
  std::string password;       // "" if none: libpq looks where it always does
  std::string password_file;  // where it comes from

  [[nodiscard]] bool has(const std::string& name) const { return options.contains(name); }
  [[nodiscard]] std::string get(const std::string& name) const;
  void set(const std::string& name, const std::string& value) { options[name] = value; }
  /// Is every host that `url` names this very one (a unix socket, loopback)? A url without a host
  /// leaves that to the environment.
  [[nodiscard]] bool names_this_host() const;
  /// "postgresql://db.example.org:5433/caravel", "postgresql://?service=name": as people and the
  /// ledger name it.
  [[nodiscard]] std::string place() const;
};

/// Takes a connection URI, or "key=value …", apart; see PQconninfoParse(3). Errors: kind usage,
/// without the url: it may hold a secret, which does not belong there.
[[nodiscard]] Result<Login> read_url(const std::string& url);

/// All options for the connection: those of the url, the service file and the environment, as libpq
/// would use them, and ours where they say nothing:
/// - sslmode=verify-full, unless every host is this very one; the authorities are `ca_file`, else
///   libpq's own file, else the system's;
/// - target_session_attrs=read-write, so that of several hosts the one that takes rows is chosen;
/// - keepalives, so that a host that vanished is noticed.
/// Errors: kind fault: a service that is not known, say.
[[nodiscard]] Result<ConnectOptions> options_for(const Login& login);

}  // namespace caravel::uploader
