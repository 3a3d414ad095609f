// An HTTP server of one thread that answers each request by a script: for what goes wrong below
// HTTP.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/stop_signal.h"
#include "base/unique_fd.h"

namespace caravel::testing {

/// What the server does with one request.
struct FaultReply {
  int status = 200;
  std::string body = "{}";
  std::string headers = {};                 // whole lines, with "\r\n"
  std::size_t cut_after = ~std::size_t{0};  // bytes of the reply, then the connection ends
  bool never = false;                       // no reply, until the server ends
  bool close_after = false;                 // keeps nothing alive, and does not say so
};

/// A certificate for 127.0.0.1 that signs itself.
struct TestCertificate {
  std::string certificate_pem;
  std::string key_pem;
};
[[nodiscard]] TestCertificate make_certificate();

class FaultServer {
 public:
  /// `script` is asked, in the server's thread, for each request: its number (from 0) and its text.
  using Script = std::function<FaultReply(int number, const std::string& request)>;

  explicit FaultServer(Script script, const TestCertificate* tls = nullptr);
  FaultServer(const FaultServer&) = delete;
  FaultServer& operator=(const FaultServer&) = delete;
  ~FaultServer();

  /// "http://127.0.0.1:PORT" or "https://…"
  [[nodiscard]] const std::string& url() const { return url_; }
  [[nodiscard]] int connections() const { return connections_; }
  [[nodiscard]] int requests() const { return requests_; }

 private:
  void serve();
  void serve_connection(int fd);

  Script script_;
  void* tls_ = nullptr;  // SSL_CTX
  UniqueFd listener_;
  std::string url_;
  StopSignal stop_;
  std::atomic<int> connections_{0};
  std::atomic<int> requests_{0};
  std::vector<std::thread> workers_;
  std::thread thread_;
};

}  // namespace caravel::testing
