#include "watcher/serve/session.h"

#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>

#include "base/text.h"

namespace caravel::watcher {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;

/// Room for a head and the beginning of the next one.
constexpr std::size_t kMostBuffer = 2 * Session::kMostHead;

std::string text_of(boost::beast::string_view text) { return {text.data(), text.size()}; }

/// As far as it counts; what is missing is empty.
template <class Parser>
RequestHead head_of(const Parser& parser) {
  const auto& request = parser.get();
  RequestHead head;
  head.method = text_of(request.method_string());
  head.target = text_of(request.target());
  head.host = text_of(request[http::field::host]);
  head.hosts = request.count(http::field::host);
  head.authorization = text_of(request[http::field::authorization]);
  head.http_1_0 = request.version() < 11;
  head.has_body = !parser.is_done();
  return head;
}

/// Of a head that the parser refused.
unsigned status_of(beast::error_code error) {
  if (error == http::error::unexpected_body || error == http::error::body_limit) return 413;
  const bool too_long = error == http::error::header_limit || error == http::error::buffer_overflow;
  return too_long ? 431 : 400;
}

Answer refused(const Refusal& refusal) {
  return {.status = refusal.status, .body = shown(refusal.why) + "\n"};
}

/// What every answer says: nothing of it may be kept, framed, or read by pages of others, and the
/// page may load nothing but our own files (w3.org/TR/CSP3).
template <class Response>
void set_security_fields(Response& response) {
  response.set(http::field::cache_control, "no-store");
  response.set("Content-Security-Policy",
               "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
               "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
  response.set("X-Content-Type-Options", "nosniff");
  response.set("X-Frame-Options", "DENY");
  response.set("Referrer-Policy", "no-referrer");
  response.set("Cross-Origin-Resource-Policy", "same-origin");
  response.set("Cross-Origin-Opener-Policy", "same-origin");
}

}  // namespace

Session::Session(std::uint64_t id, Socket socket, const SessionHost& host)
    : id_(id), host_(host), stream_(std::move(socket)), buffer_(kMostBuffer) {}

void Session::start() { read(); }

void Session::close() { stream_.cancel(); }

void Session::read() {
  parser_.emplace();
  parser_->header_limit(kMostHead);
  // No body is ever read; without a limit here, the head alone decides (Access).
  parser_->body_limit(boost::none);
  // From now until the whole head is here: bytes that come one by one do not prolong it.
  stream_.expires_after(kMostWait);
  waits_since_ = std::chrono::steady_clock::now();
  http::async_read_header(stream_, buffer_, *parser_,
                          [this](beast::error_code error, std::size_t) { on_head(error); });
}

void Session::on_head(beast::error_code error) {
  waits_since_.reset();
  // Gone, too slow, or closed by us: nobody is there to be answered.
  const bool is_malformed =
      error && error.category() == make_error_code(http::error::bad_method).category() &&
      error != http::error::end_of_stream && error != http::error::partial_message;
  if (error && !is_malformed) return end();
  if (is_malformed) {
    return respond(refused({status_of(error), error.message()}), false, false);
  }
  const RequestHead head = head_of(*parser_);
  const bool head_only = head.method == "HEAD";
  if (const auto refusal = host_.access.judge(head)) {
    // Whatever follows a refused request may be its body: it is no request.
    return respond(refused(*refusal), head_only, false);
  }
  Answer answer = host_.answer(path_of(head.target));
  if (answer.is_stream && !head_only) {
    to_listen_ = host_.may_listen();
    if (!to_listen_) answer = {.status = 503, .body = "too many listen already\n"};
  }
  const bool keep_alive = parser_->get().keep_alive() && ++requests_ < kMostRequests;
  respond(std::move(answer), head_only, keep_alive && !to_listen_);
}

void Session::respond(Answer answer, bool head_only, bool keep_alive) {
  keep_alive_ = keep_alive;
  response_.emplace(static_cast<http::status>(answer.status), 11U);
  set_security_fields(*response_);
  response_->set(http::field::content_type, answer.type);
  if (answer.status == 405) response_->set(http::field::allow, "GET, HEAD");
  if (answer.status == 401) {
    response_->set(http::field::www_authenticate, "Basic realm=\"caravel\", charset=\"UTF-8\"");
  }
  if (answer.status == 503) response_->set(http::field::retry_after, "10");
  response_->keep_alive(keep_alive);
  if (!to_listen_) {
    response_->content_length(answer.body.size());
    response_->body() = std::move(answer.body);
  }
  serializer_.emplace(*response_);
  stream_.expires_after(kMostWait);
  const auto written = [this](beast::error_code error, std::size_t) { on_written(error); };
  if (head_only || to_listen_) {
    http::async_write_header(stream_, *serializer_, written);
  } else {
    http::async_write(stream_, *serializer_, written);
  }
}

void Session::on_written(beast::error_code error) {
  serializer_.reset();
  response_.reset();
  if (error) return end();
  if (to_listen_) {
    // A browser asks again two seconds after a stream has ended.
    listens_ = true;
    return send_event("retry: 2000\n\n");
  }
  if (keep_alive_) return read();
  linger();
}

void Session::send_event(const std::string& event) {
  if (!listens_ || writes_event_) return;
  writes_event_ = true;
  event_ = event;
  stream_.expires_after(kMostWait);
  boost::asio::async_write(stream_, boost::asio::buffer(event_),
                           [this](beast::error_code error, std::size_t) {
                             writes_event_ = false;
                             if (error) return end();
                             // Between two events nothing is waited for, so nothing runs out.
                             stream_.expires_never();
                           });
}

void Session::linger() {
  constexpr std::size_t kMostBytes = 64 * 1024;
  constexpr std::chrono::seconds kMostTime{2};
  if (lingered_ == 0) {
    beast::error_code ignored;
    stream_.socket().shutdown(Socket::shutdown_send, ignored);
    stream_.expires_after(kMostTime);
    lingered_ = 1;
  }
  buffer_.clear();
  stream_.async_read_some(buffer_.prepare(kMostHead),
                          [this](beast::error_code error, std::size_t bytes) {
                            lingered_ += bytes;
                            if (error || lingered_ > kMostBytes) return end();
                            linger();
                          });
}

}  // namespace caravel::watcher
