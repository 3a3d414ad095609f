#include "uploader/http/curl_transport.h"

#include <algorithm>
#include <cstring>
#include <map>

#include <curl/curl.h>
#include <fmt/format.h>
#include <strings.h>

#include "uploader/http/url.h"

namespace caravel::uploader {
namespace {

struct EasyDelete {
  void operator()(CURL* easy) const { ::curl_easy_cleanup(easy); }
};
struct MultiDelete {
  void operator()(CURLM* multi) const { ::curl_multi_cleanup(multi); }
};
struct ListDelete {
  void operator()(curl_slist* list) const { ::curl_slist_free_all(list); }
};

/// One request in flight. libcurl keeps pointers to its members, so it never moves. `easy` is
/// declared last and dies first, before the headers and the error buffer that it points to.
struct Transfer {
  HttpRequest request;
  HttpReply reply;
  std::uint64_t sent = 0;
  bool retried = false;
  char error[CURL_ERROR_SIZE] = {};
  std::unique_ptr<curl_slist, ListDelete> headers;
  std::unique_ptr<CURL, EasyDelete> easy;
};

/// CURLOPT_WRITEFUNCTION(3): fewer bytes than were offered end the transfer. A reply has a limit
/// because memory has one; too_long tells the caller why the transfer failed.
std::size_t take_body(char* data, std::size_t, std::size_t size, void* user) try {
  auto& transfer = *static_cast<Transfer*>(user);
  if (transfer.reply.body.size() + size > transfer.request.max_reply_bytes) {
    transfer.reply.too_long = true;
    return 0;
  }
  transfer.reply.body.append(data, size);
  return size;
} catch (...) {
  // Memory has run out. libcurl is C: an exception must not pass through it, or it would be left in
  // the middle of what it does. The transfer ends as one that failed, and is tried again.
  return 0;
}

/// CURLOPT_HEADERFUNCTION(3): one header line a call, with its line end.
std::size_t take_header(char* data, std::size_t, std::size_t size, void* user) try {
  auto& reply = static_cast<Transfer*>(user)->reply;
  std::string_view line(data, size);
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
  const auto take = [&](std::string_view name, std::string& out) {
    if (line.size() <= name.size() || ::strncasecmp(line.data(), name.data(), name.size()) != 0) {
      return;
    }
    std::string_view value = line.substr(name.size());
    value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
    out = value;
  };
  take("retry-after:", reply.retry_after);
  take("location:", reply.location);
  return size;
} catch (...) {
  return 0;  // as in take_body()
}

/// CURLOPT_READFUNCTION(3). 0 would say that the body ends here, and a body that is shorter than
/// its Content-Length would leave the server waiting: a failed read ends the transfer instead.
std::size_t give_body(char* buffer, std::size_t size, std::size_t count, void* user) try {
  auto& transfer = *static_cast<Transfer*>(user);
  const std::uint64_t left = transfer.request.body_bytes - transfer.sent;
  const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(size * count, left));
  if (want == 0) return 0;
  const std::int64_t got = transfer.request.read_body(transfer.sent, buffer, want);
  if (got <= 0) return CURL_READFUNC_ABORT;
  transfer.sent += static_cast<std::uint64_t>(got);
  return static_cast<std::size_t>(got);
} catch (...) {
  return CURL_READFUNC_ABORT;  // as in take_body()
}

/// CURLOPT_SEEKFUNCTION(3): libcurl sends the body again after a connection that was lost.
int rewind_body(void* user, curl_off_t offset, int origin) {
  if (origin != SEEK_SET) return CURL_SEEKFUNC_CANTSEEK;
  static_cast<Transfer*>(user)->sent = static_cast<std::uint64_t>(offset);
  return CURL_SEEKFUNC_OK;
}

/// What only a person can change: an address that cannot work, a certificate, a login. All else (no
/// route, no name, no answer) may pass. libcurl-errors(3).
ErrorKind kind_of(CURLcode code) {
  switch (code) {
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CRL_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_USE_SSL_FAILED:
    case CURLE_LOGIN_DENIED:
    case CURLE_NOT_BUILT_IN:
      return ErrorKind::fault;
    default:
      return ErrorKind::retry;
  }
}

/// A handshake that was cut off is no word about certificates: the server is being started, say.
bool handshake_was_cut_off(CURLcode code, std::string_view what) {
  if (code != CURLE_SSL_CONNECT_ERROR) return false;
  for (const std::string_view part : {"SSL_ERROR_SYSCALL", "reset by peer", "unexpected eof"}) {
    if (what.find(part) != std::string_view::npos) return true;
  }
  return false;
}

/// `url` with the user's name before the host (RFC 3986, section 3.2.1). There is no password in
/// it: libcurl looks for that in ~/.netrc.
std::string with_user(const std::string& url, const std::string& user) {
  const std::size_t host = url.find("://") + 3;
  return fmt::format("{}{}@{}", url.substr(0, host), percent_encoded(user), url.substr(host));
}

/// How long a request may take, reply included. A streamed body has a second more for each MiB:
/// otherwise a large attachment would time out however often it is sent.
std::chrono::milliseconds whole_timeout(const HttpRequest& request,
                                        std::chrono::milliseconds timeout) {
  constexpr std::uint64_t kBytesASecond = 1 << 20;
  return timeout + std::chrono::seconds(request.body_bytes / kBytesASecond);
}

std::string in_seconds(std::chrono::milliseconds time) {
  return time.count() % 1000 == 0 ? fmt::format("{} s", time.count() / 1000)
                                  : fmt::format("{} ms", time.count());
}

class CurlTransport : public HttpTransport {
 public:
  explicit CurlTransport(CurlOptions options) : options_(std::move(options)) {
    // curl_global_init(3) must run once in a process, and not in two threads at a time: a
    // function's static is made by one thread while the others wait.
    static const CURLcode kInitialised = ::curl_global_init(CURL_GLOBAL_DEFAULT);
    static_cast<void>(kInitialised);
    multi_.reset(::curl_multi_init());
  }
  ~CurlTransport() override { cancel_all(); }

  std::uint64_t start(HttpRequest request) override {
    auto transfer = std::make_unique<Transfer>();
    transfer->request = std::move(request);
    transfer->reply.ticket = ++last_ticket_;
    if (login_refused_) read_password_again();
    transfer->easy.reset(::curl_easy_init());
    configure(*transfer);
    ::curl_multi_add_handle(multi_.get(), transfer->easy.get());
    transfers_.emplace(transfer->easy.get(), std::move(transfer));
    // The first step is taken at once, so that the request is on its way while the caller builds
    // its next batch.
    int running = 0;
    ::curl_multi_perform(multi_.get(), &running);
    return last_ticket_;
  }

  Result<HttpReply> wait(const StopSignal& stop) override {
    for (;;) {
      if (stop.requested()) return fail(ErrorKind::stopped, "asked to stop");
      int running = 0;
      ::curl_multi_perform(multi_.get(), &running);
      if (auto reply = take_ended()) return std::move(*reply);
      // Without a request in flight there is no reply to come: waiting would never end.
      if (transfers_.empty()) {
        HttpReply none;
        none.failure = Error{ErrorKind::retry, "nothing was asked"};
        return none;
      }
      curl_waitfd stopped{stop.fd(), CURL_WAIT_POLLIN, 0};
      // 60 s is only a bound: curl_multi_poll(3) returns earlier for a timer of libcurl's, for a
      // socket, and for the stop signal.
      ::curl_multi_poll(multi_.get(), &stopped, 1, 60'000, nullptr);
    }
  }

  void cancel_all() override {
    // An easy handle must leave the multi handle before it is cleaned up
    // (curl_multi_remove_handle(3)).
    for (auto& [easy, transfer] : transfers_) ::curl_multi_remove_handle(multi_.get(), easy);
    transfers_.clear();
  }

 private:
  /// A host that does not answer is found out after 10 s, and does not use up a longer timeout.
  [[nodiscard]] std::chrono::milliseconds connect_timeout() const {
    return std::min<std::chrono::milliseconds>(options_.timeout, std::chrono::seconds(10));
  }

  /// The options of curl_easy_setopt(3). NOSIGNAL: timeouts must not use signals in a program with
  /// threads. TCP_KEEPALIVE: a peer that vanished is noticed while a connection is kept.
  void configure(Transfer& transfer) {
    CURL* easy = transfer.easy.get();
    const HttpRequest& request = transfer.request;
    const auto timeout = whole_timeout(request, options_.timeout);
    ::curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
    // A mistyped URL must not make libcurl read a file or speak FTP.
    ::curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    ::curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    // A redirect would carry rows, and the password, to a place that nobody configured. It is a
    // fault instead (Answer::fault), and the message names the new place.
    ::curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    ::curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    ::curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 1L);
    // A step of libcurl's gives one buffer to the socket, and start() takes one step: what does not
    // fit would wait until the caller's next batch is built.
    ::curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, 512L * 1024);
    ::curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer.error);
    ::curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(timeout.count()));
    ::curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                       static_cast<long>(connect_timeout().count()));
    ::curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    // These two are the defaults of libcurl. They are set all the same: without them anybody on the
    // way could read the password.
    ::curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    ::curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    // Older versions can be broken by whoever stands in between, and may be asked for by them.
    ::curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    // Where it was built without a folder of authorities, libcurl would keep those of ca_file in
    // memory for a day (CURLOPT_CA_CACHE_TIMEOUT(3)). A file that was mended, or an authority that
    // was taken out of it, must count with the next connection.
    ::curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, 0L);
    if (!options_.ca_file.empty()) {
      ::curl_easy_setopt(easy, CURLOPT_CAINFO, options_.ca_file.c_str());
    }
    if (options_.use_netrc) {
      ::curl_easy_setopt(easy, CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BASIC));
      ::curl_easy_setopt(easy, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_OPTIONAL));
      // If the URL names a user, libcurl takes that user's entry for the host. The same name as
      // CURLOPT_USERNAME would keep libcurl from looking into the file at all.
      if (!options_.user.empty()) {
        ::curl_easy_setopt(easy, CURLOPT_URL, with_user(request.url, options_.user).c_str());
      }
    } else if (!options_.user.empty()) {
      ::curl_easy_setopt(easy, CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BASIC));
      ::curl_easy_setopt(easy, CURLOPT_USERNAME, options_.user.c_str());
      ::curl_easy_setopt(easy, CURLOPT_PASSWORD, options_.password.c_str());
    }
    ::curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    ::curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
    ::curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
    ::curl_easy_setopt(easy, CURLOPT_HEADERDATA, &transfer);
    set_headers(transfer);
    set_body(transfer);
  }

  /// Once for each refusal: while nothing is refused, no request costs a look at the file.
  void read_password_again() {
    login_refused_ = false;
    if (!options_.reread_password) return;
    if (auto password = options_.reread_password()) options_.password = std::move(*password);
  }

  static void set_headers(Transfer& transfer) {
    curl_slist* list = nullptr;
    // No "Expect: 100-continue": a server that does not know it costs a second for each batch.
    list = ::curl_slist_append(list, "Expect:");
    list = ::curl_slist_append(list, "Accept: application/json");
    for (const std::string& header : transfer.request.headers) {
      list = ::curl_slist_append(list, header.c_str());
    }
    transfer.headers.reset(list);
    ::curl_easy_setopt(transfer.easy.get(), CURLOPT_HTTPHEADER, list);
    ::curl_easy_setopt(transfer.easy.get(), CURLOPT_USERAGENT, "caravel");
  }

  static void set_body(Transfer& transfer) {
    CURL* easy = transfer.easy.get();
    const HttpRequest& request = transfer.request;
    if (request.read_body) {
      ::curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
      ::curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE,
                         static_cast<curl_off_t>(request.body_bytes));
      ::curl_easy_setopt(easy, CURLOPT_READFUNCTION, give_body);
      ::curl_easy_setopt(easy, CURLOPT_READDATA, &transfer);
      ::curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, rewind_body);
      ::curl_easy_setopt(easy, CURLOPT_SEEKDATA, &transfer);
    } else if (request.method != "GET") {
      ::curl_easy_setopt(easy, CURLOPT_POST, 1L);
      ::curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                         static_cast<curl_off_t>(request.body.size()));
      // Not copied: HttpRequest promises that the bytes stay. With a null pointer libcurl would
      // call the read function for the body (CURLOPT_POSTFIELDS(3)), so an empty body is "".
      ::curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.empty() ? "" : request.body.data());
    }
    // Last, because UPLOAD and POST choose a method too. This option changes the word in the
    // request line only, not how the body is sent (CURLOPT_CUSTOMREQUEST(3)).
    ::curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }

  /// The reply of a transfer that has ended, if there is one.
  std::optional<HttpReply> take_ended() {
    int left = 0;
    while (CURLMsg* message = ::curl_multi_info_read(multi_.get(), &left)) {
      // The message does not survive curl_multi_remove_handle(3): its fields are read before that.
      if (message->msg != CURLMSG_DONE) continue;
      const CURLcode code = message->data.result;
      const auto found = transfers_.find(message->easy_handle);
      ::curl_multi_remove_handle(multi_.get(), message->easy_handle);
      Transfer& transfer = *found->second;
      if (lost_idle_connection(transfer, code)) {
        again(transfer);
        continue;
      }
      HttpReply reply = ended(transfer, code);
      transfers_.erase(found);
      return reply;
    }
    return {};
  }

  /// Did a kept connection end before any byte of the reply? The server closed it while it was
  /// idle, and that is no failure. libcurl sees to most of these itself.
  static bool lost_idle_connection(const Transfer& transfer, CURLcode code) {
    if (transfer.retried) return false;
    if (code != CURLE_SEND_ERROR && code != CURLE_RECV_ERROR && code != CURLE_GOT_NOTHING) {
      return false;
    }
    long opened = 0;
    long header_bytes = 0;
    ::curl_easy_getinfo(transfer.easy.get(), CURLINFO_NUM_CONNECTS, &opened);
    ::curl_easy_getinfo(transfer.easy.get(), CURLINFO_HEADER_SIZE, &header_bytes);
    // NUM_CONNECTS is 0 if the request used a kept connection. With a byte of the header the server
    // has begun to answer, and the loss is a real one.
    return opened == 0 && header_bytes == 0;
  }

  /// Once, and on a connection of its own: a second loss is an error like any other.
  void again(Transfer& transfer) {
    transfer.retried = true;
    transfer.sent = 0;
    ::curl_easy_setopt(transfer.easy.get(), CURLOPT_FRESH_CONNECT, 1L);
    ::curl_multi_add_handle(multi_.get(), transfer.easy.get());
    int running = 0;
    ::curl_multi_perform(multi_.get(), &running);
  }

  HttpReply ended(Transfer& transfer, CURLcode code) {
    HttpReply reply = std::move(transfer.reply);
    if (code == CURLE_OK) {
      long status = 0;
      ::curl_easy_getinfo(transfer.easy.get(), CURLINFO_RESPONSE_CODE, &status);
      reply.status = static_cast<int>(status);
      // 403 too: CouchDB answers so while an account is locked after too many wrong passwords.
      login_refused_ = login_refused_ || status == 401 || status == 403;
      return reply;
    }
    std::string what = transfer.error[0] != '\0' ? transfer.error : ::curl_easy_strerror(code);
    if (code == CURLE_OPERATION_TIMEDOUT) {
      // Nothing is sent before the connection stands. With 0 bytes sent, the server never saw the
      // request, and a request of fewer rows would not help.
      long sent_bytes = 0;
      ::curl_easy_getinfo(transfer.easy.get(), CURLINFO_REQUEST_SIZE, &sent_bytes);
      reply.timed_out = sent_bytes > 0;
      what = reply.timed_out
                 ? "timeout after " + in_seconds(whole_timeout(transfer.request, options_.timeout))
                 : fmt::format("timeout: no connection within {}", in_seconds(connect_timeout()));
    } else if (reply.too_long) {
      what = fmt::format("the reply is longer than {} bytes", transfer.request.max_reply_bytes);
    }
    const ErrorKind kind = handshake_was_cut_off(code, what) ? ErrorKind::retry : kind_of(code);
    reply.failure = Error{kind, std::move(what)};
    return reply;
  }

  CurlOptions options_;
  bool login_refused_ = false;  // by a reply, since the password was read
  // Declared before transfers_, so that it is destroyed after them: all easy handles must be gone
  // before the multi handle (curl_multi_cleanup(3)).
  std::unique_ptr<CURLM, MultiDelete> multi_;
  std::map<CURL*, std::unique_ptr<Transfer>> transfers_;
  std::uint64_t last_ticket_ = 0;
};

}  // namespace

std::unique_ptr<HttpTransport> make_curl_transport(CurlOptions options) {
  return std::make_unique<CurlTransport>(std::move(options));
}

}  // namespace caravel::uploader
