#include "tests/support/fault_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#include <memory>
#include <stdexcept>

#include <fmt/format.h>

namespace caravel::testing {
namespace {

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string text(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  return text;
}

/// A connection, plain or TLS, whose waits end when the server does.
class Channel {
 public:
  Channel(int fd, SSL_CTX* context, const StopSignal& stop) : fd_(fd), stop_(stop) {
    if (context != nullptr) ssl_.reset(SSL_new(context));
    if (ssl_) SSL_set_fd(ssl_.get(), fd);
  }
  /// Reads nothing until the client hangs up, or the server ends.
  void wait_for_hangup() const {
    pollfd waits[2] = {{fd_, POLLRDHUP, 0}, {stop_.fd(), POLLIN, 0}};
    ::poll(waits, 2, -1);
  }
  bool begin() { return !ssl_ || SSL_accept(ssl_.get()) == 1; }
  /// More bytes appended to `out`; false at the end.
  bool read(std::string& out) {
    if (!ssl_ || SSL_pending(ssl_.get()) == 0) {
      pollfd waits[2] = {{fd_, POLLIN, 0}, {stop_.fd(), POLLIN, 0}};
      ::poll(waits, 2, -1);
      if (waits[1].revents != 0) return false;
    }
    char buffer[65536];
    const auto got = ssl_ ? SSL_read(ssl_.get(), buffer, sizeof buffer)
                          : static_cast<int>(::recv(fd_, buffer, sizeof buffer, 0));
    if (got <= 0) return false;
    out.append(buffer, static_cast<std::size_t>(got));
    return true;
  }
  void write(std::string_view text) {
    if (ssl_) {
      SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size()));
      return;
    }
    while (!text.empty()) {
      const auto put = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      if (put <= 0) return;
      text.remove_prefix(static_cast<std::size_t>(put));
    }
  }

 private:
  struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  int fd_;
  const StopSignal& stop_;
  std::unique_ptr<SSL, Free> ssl_;
};

/// The length of the request at the front of `bytes`; 0 if it is not whole yet.
std::size_t request_length(const std::string& bytes) {
  const std::size_t head = bytes.find("\r\n\r\n");
  if (head == std::string::npos) return 0;
  std::size_t length = head + 4;
  const std::size_t field = bytes.find("Content-Length: ");
  if (field < head) length += std::stoul(bytes.substr(field + 16));
  return bytes.size() >= length ? length : 0;
}

}  // namespace

TestCertificate make_certificate(const CertificateOptions& options) {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_set_version(certificate, X509_VERSION_3);
  X509_gmtime_adj(X509_getm_notBefore(certificate), options.valid_from);
  X509_gmtime_adj(X509_getm_notAfter(certificate), options.valid_until);
  X509_set_pubkey(certificate, key);
  X509_NAME* name = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("test"), -1, -1, 0);
  X509_set_issuer_name(certificate, name);
  X509_EXTENSION* extension =
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, options.name.c_str());
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
  X509_sign(certificate, key, EVP_sha256());
  BIO* pem = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(pem, certificate);
  BIO* key_pem = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(key_pem, key, nullptr, nullptr, 0, nullptr, nullptr);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return {text_of(pem), text_of(key_pem)};
}

FaultServer::FaultServer(Script script, FaultOptions options)
    : script_(std::move(script)), options_(std::move(options)) {
  const TestCertificate* const tls = options_.tls;
  ::signal(SIGPIPE, SIG_IGN);  // SSL_write has no MSG_NOSIGNAL
  if (tls != nullptr) {
    SSL_CTX* context = SSL_CTX_new(TLS_server_method());
    BIO* pem = BIO_new_mem_buf(tls->certificate_pem.data(), -1);
    X509* certificate = PEM_read_bio_X509(pem, nullptr, nullptr, nullptr);
    BIO* key_pem = BIO_new_mem_buf(tls->key_pem.data(), -1);
    EVP_PKEY* key = PEM_read_bio_PrivateKey(key_pem, nullptr, nullptr, nullptr);
    if (options_.newest_tls != 0) {
      SSL_CTX_set_max_proto_version(context, options_.newest_tls);
      SSL_CTX_set_security_level(context, 0);  // which would not speak what is so old
    }
    SSL_CTX_use_certificate(context, certificate);
    SSL_CTX_use_PrivateKey(context, key);
    X509_free(certificate);
    EVP_PKEY_free(key);
    BIO_free(pem);
    BIO_free(key_pem);
    tls_ = context;
  }
  listener_ = UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0 ||
      ::listen(listener_.get(), 16) != 0) {
    throw std::runtime_error("fault server: listen");
  }
  url_ =
      fmt::format("{}://127.0.0.1:{}", tls != nullptr ? "https" : "http", ntohs(address.sin_port));
  thread_ = std::thread([this] { serve(); });
}

FaultServer::~FaultServer() {
  stop_.request();
  thread_.join();
  for (std::thread& worker : workers_) worker.join();
  SSL_CTX_free(static_cast<SSL_CTX*>(tls_));
}

void FaultServer::serve() {
  for (;;) {
    pollfd waits[2] = {{listener_.get(), POLLIN, 0}, {stop_.fd(), POLLIN, 0}};
    ::poll(waits, 2, -1);
    if (waits[1].revents != 0) return;
    const int fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    ++connections_;
    workers_.emplace_back([this, fd] { serve_connection(fd); });
  }
}

void FaultServer::serve_connection(int raw) {
  const UniqueFd fd(raw);
  Channel channel(raw, static_cast<SSL_CTX*>(tls_), stop_);
  if (options_.hangs_up) {
    pollfd speaks{raw, POLLIN, 0};
    ::poll(&speaks, 1, -1);
    return;
  }
  if (!channel.begin()) return;
  std::string bytes;
  for (;;) {
    std::size_t length = 0;
    while ((length = request_length(bytes)) == 0) {
      if (!channel.read(bytes)) return;
      // The first byte of a TLS handshake, to a server that speaks none: what nginx answers.
      if (tls_ == nullptr && bytes.front() == '\x16') {
        channel.write("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
        return;
      }
      const bool head = bytes.find("\r\n\r\n") != std::string::npos;
      if (head && options_.stops_reading && options_.stops_reading(bytes)) {
        channel.wait_for_hangup();
        return;
      }
    }
    const FaultReply reply = script_(requests_++, bytes.substr(0, length));
    bytes.erase(0, length);
    if (reply.never) {
      // Until the client has had enough, or the test has.
      while (channel.read(bytes)) continue;
      return;
    }
    const std::string text = fmt::format(
        "HTTP/1.1 {} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{}\r\n{}",
        reply.status, reply.body.size(), reply.headers, reply.body);
    channel.write(std::string_view(text).substr(0, reply.cut_after));
    if (reply.cut_after < text.size() || reply.close_after) return;
  }
}

}  // namespace caravel::testing
