// One connection of a client: reads a request, answers it, reads the next one.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/string_body.hpp>

#include "watcher/serve/access.h"
#include "watcher/serve/site.h"

namespace caravel::watcher {

/// What is the same for all connections.
struct SessionHost {
  /// A request that Access let through.
  std::function<Answer(std::string_view path)> answer;
  /// Whether one more may listen to events.
  std::function<bool()> may_listen;
  /// The connection is over: destroys the session, which is called no more.
  std::function<void(std::uint64_t id)> ended;
  const Access& access;
};

/// At most one operation waits at any time, and every one has a time limit, so no client can hold a
/// connection that does nothing. Bytes of a head are bounded; a body is refused unread. Destroyed
/// by SessionHost::ended, or with the io_context, whose handlers are then never called.
class Session {
 public:
  using Socket = boost::asio::generic::stream_protocol::socket;

  /// `host` outlives it.
  Session(std::uint64_t id, Socket socket, const SessionHost& host);

  /// Begins to read.
  void start();
  /// What it waits for ends at once, and then the session.
  void close();
  /// Sends this to one that listens; what cannot be sent because the last one is still on its way
  /// is left out.
  void send_event(const std::string& event);

  [[nodiscard]] bool listens() const { return listens_; }
  /// Since when it waits for a request; nothing while it answers one or listens.
  [[nodiscard]] std::optional<std::chrono::steady_clock::time_point> waits_since() const {
    return waits_since_;
  }

  static constexpr std::uint32_t kMostHead = 8192;  // bytes of request line and fields
  static constexpr std::chrono::seconds kMostWait{15};
  static constexpr unsigned kMostRequests = 1000;  // of one connection

 private:
  void read();
  void on_head(boost::beast::error_code error);
  void respond(Answer answer, bool head_only, bool keep_alive);
  void on_written(boost::beast::error_code error);
  /// Says that nothing more comes and reads on for a moment: closing with bytes unread would take
  /// the answer away from the client (RFC 9112, 9.6).
  void linger();
  void end() { host_.ended(id_); }

  const std::uint64_t id_;
  const SessionHost& host_;
  boost::beast::basic_stream<boost::asio::generic::stream_protocol> stream_;
  boost::beast::flat_buffer buffer_;
  std::optional<boost::beast::http::request_parser<boost::beast::http::empty_body>> parser_;
  std::optional<boost::beast::http::response<boost::beast::http::string_body>> response_;
  std::optional<boost::beast::http::response_serializer<boost::beast::http::string_body>>
      serializer_;
  std::string event_;
  std::optional<std::chrono::steady_clock::time_point> waits_since_;
  unsigned requests_ = 0;
  std::size_t lingered_ = 0;
  bool keep_alive_ = false;
  bool to_listen_ = false;  // once the head of the answer is written
  bool listens_ = false;
  bool writes_event_ = false;
};

}  // namespace caravel::watcher
