// An HTTP server of one thread that answers each request by a script: for what goes wrong below
// HTTP.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
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

/// A certificate that signs itself, and so is its own authority.
struct TestCertificate {
  std::string certificate_pem;
  std::string key_pem;
};
struct CertificateOptions {
  std::string name = "IP:127.0.0.1";  // whom it is for, as a subject alternative name
  long valid_from = -3600;            // seconds from now
  long valid_until = 24 * 3600;
};
[[nodiscard]] TestCertificate make_certificate(const CertificateOptions& options = {});

struct FaultOptions {
  const TestCertificate* tls = nullptr;  // without one: plain HTTP
  int newest_tls = 0;                    // TLS1_1_VERSION: speaks nothing newer
  bool hangs_up = false;                 // ends each connection as soon as the client speaks
  /// Asked for each request with what was read of it, its head at least. True: nothing more of the
  /// request is read, until the client has had enough.
  std::function<bool(const std::string& read)> stops_reading = {};
};

class FaultServer {
 public:
  /// `script` is asked, in the server's thread, for each request: its number (from 0) and its text.
  using Script = std::function<FaultReply(int number, const std::string& request)>;

  explicit FaultServer(Script script, const TestCertificate* tls = nullptr)
      : FaultServer(std::move(script), FaultOptions{.tls = tls}) {}
  FaultServer(Script script, FaultOptions options);
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
  FaultOptions options_;
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
