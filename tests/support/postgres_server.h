// A real PostgreSQL server, with data of its own, on a free port of loopback.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace caravel::testing {

/// Runs from the constructor to the destructor. Throws, with the words for it, if it cannot be
/// started: a test must not pass for want of a server. $CARAVEL_POSTGRES_BIN: where its programs
/// are, else the newest of /usr/lib/postgresql. They refuse to run as root: then the server is
/// `postgres`, whoever that is here.
class PostgresServer {
 public:
  /// `settings`: of postgresql.conf, each "name=value".
  explicit PostgresServer(std::vector<std::string> settings = {});
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;
  ~PostgresServer();

  /// "postgresql://postgres@127.0.0.1:PORT/postgres"
  [[nodiscard]] const std::string& url() const { return url_; }
  /// Where its data is; its unix socket is in there too.
  [[nodiscard]] const std::string& directory() const { return directory_; }
  [[nodiscard]] int port() const { return port_; }

  /// Statements with ';' between them, as its superuser; the first value of the last one, "" if
  /// there is none. Throws what the server says against them.
  std::string sql(const std::string& statements) const;

  /// Puts a file into its data directory, as the server's own.
  void add_file(const std::string& name, const std::string& content, unsigned mode) const;
  /// Stops it at once, as a crash would; what was committed is there after start().
  void stop();
  void start();

 private:
  std::string directory_;
  std::string url_;
  std::vector<std::string> settings_;
  int port_ = 0;
  pid_t pid_ = -1;
};

/// The one server of this test program, started when it is first asked for. Tests use schemas of
/// their own.
[[nodiscard]] PostgresServer& shared_postgres_server();

}  // namespace caravel::testing
