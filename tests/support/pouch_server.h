// A real server that speaks CouchDB's protocol: pouchdb-server, in memory, on a free port.
#pragma once

#include <sys/types.h>

#include <string>

namespace caravel::testing {

/// Runs from the constructor to the destructor. Throws, with the words for it, if it cannot be
/// started: a test must not pass for want of a server.
class PouchServer {
 public:
  PouchServer();
  PouchServer(const PouchServer&) = delete;
  PouchServer& operator=(const PouchServer&) = delete;
  ~PouchServer();

  /// "http://127.0.0.1:PORT"
  [[nodiscard]] const std::string& url() const { return url_; }

  /// One request with a JSON body; the reply's body.
  std::string request(const std::string& method, const std::string& path,
                      const std::string& body = {}) const;

 private:
  std::string directory_;
  std::string url_;
  pid_t pid_ = -1;
};

/// The one server of this test program, started when it is first asked for. Tests use databases of
/// their own.
[[nodiscard]] PouchServer& shared_pouch_server();

}  // namespace caravel::testing
