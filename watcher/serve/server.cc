#include "watcher/serve/server.h"

#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/idle_memory.h"
#include "watcher/serve/session.h"
#include "watcher/service/program_log.h"

namespace caravel::watcher {
namespace {

namespace net = boost::asio;
using boost::system::error_code;

/// Accepts connections at one place and owns them.
template <class Protocol>
class Server {
 public:
  Server(const Access& access, Site& site)
      : site_(site),
        acceptor_(io_),
        pause_(io_),
        tick_(io_),
        host_{[this](std::string_view path) { return site_.answer(path); },
              [this] { return listeners() < kMostListeners; },
              [this](std::uint64_t id) { end(id); }, access} {}

  Result<> listen(const typename Protocol::endpoint& endpoint, const std::string& name) {
    error_code error;
    acceptor_.open(endpoint.protocol(), error);
    if (!error && endpoint.protocol().family() != AF_UNIX) {
      // After a restart the old connections linger (tcp(7)): that keeps nobody from listening.
      acceptor_.set_option(net::socket_base::reuse_address(true), error);
    }
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(net::socket_base::max_listen_connections, error);
    if (!error) return {};
    return fail(ErrorKind::usage, fmt::format("serve.listen: {}: {}", name, error.message()));
  }

  [[nodiscard]] auto local_endpoint() const { return acceptor_.local_endpoint(); }

  void run(const StopSignal& stop, Reload& reload) {
    // Both descriptors stay their owners': release() below.
    net::posix::stream_descriptor stopped(io_, stop.fd());
    stopped.async_wait(net::posix::stream_descriptor::wait_read,
                       [this](const error_code&) { io_.stop(); });
    net::posix::stream_descriptor asked(io_);
    if (reload.fd() >= 0) {
      asked.assign(reload.fd());
      reload_when_asked(asked, reload);
    }
    accept();
    give_back_idle_memory();
    io_.run();
    (void)stopped.release();
    if (asked.is_open()) (void)asked.release();
  }

 private:
  void reload_when_asked(net::posix::stream_descriptor& asked, Reload& reload) {
    asked.async_wait(net::posix::stream_descriptor::wait_read,
                     [this, &asked, &reload](const error_code& error) {
                       if (error) return;
                       if (reload.take_request()) return io_.stop();
                       reload_when_asked(asked, reload);
                     });
  }

  void accept() {
    acceptor_.async_accept([this](const error_code& error, typename Protocol::socket socket) {
      if (error) return accept_later();
      // One that is not let in is closed here.
      if (!make_room()) return accept();
      const std::uint64_t id = ++last_id_;
      auto session = std::make_unique<Session>(id, std::move(socket), host_);
      Session& started = *session;
      sessions_.emplace(id, std::move(session));
      started.start();
      tick();
      accept();
    });
  }

  void end(std::uint64_t id) {
    sessions_.erase(id);
    if (sessions_.empty()) give_back_idle_memory();
  }

  /// No descriptor is left, or the client is gone already: the next try must not be at once.
  void accept_later() {
    constexpr std::chrono::milliseconds kPause{200};
    pause_.expires_after(kPause);
    pause_.async_wait([this](const error_code& error) {
      if (!error) accept();
    });
  }

  /// The one that has waited longest for a request goes, if there are too many. False if all are
  /// being answered.
  [[nodiscard]] bool make_room() {
    if (sessions_.size() < kMostConnections) return true;
    Session* longest = nullptr;
    for (const auto& [id, session] : sessions_) {
      if (!session->waits_since()) continue;
      if (longest == nullptr || *session->waits_since() < *longest->waits_since()) {
        longest = session.get();
      }
    }
    if (longest == nullptr) return false;
    longest->close();
    return true;
  }

  [[nodiscard]] std::size_t listeners() const {
    return static_cast<std::size_t>(std::ranges::count_if(
        sessions_, [](const auto& entry) { return entry.second->listens(); }));
  }

  /// While there is a connection: once a second a look for what listeners are to be told.
  void tick() {
    if (ticks_) return;
    ticks_ = true;
    constexpr std::chrono::seconds kEvery{1};
    tick_.expires_after(kEvery);
    tick_.async_wait([this](const error_code& error) {
      ticks_ = false;
      if (error || sessions_.empty()) return;
      if (listeners() > 0) tell_listeners();
      tick();
    });
  }

  void tell_listeners() {
    const std::string event = site_.take_event();
    if (event.empty()) return;
    for (const auto& [id, session] : sessions_) session->send_event(event);
  }

  Site& site_;
  net::io_context io_{1};  // one thread
  typename Protocol::acceptor acceptor_;
  net::steady_timer pause_;
  net::steady_timer tick_;
  bool ticks_ = false;
  SessionHost host_;
  std::uint64_t last_id_ = 0;
  // Before io_ is destroyed: its handlers, which are never called then, refer to them.
  std::map<std::uint64_t, std::unique_ptr<Session>> sessions_;
};

template <class Protocol>
Result<> serve_at(Server<Protocol>& server, const std::string& name, const StopSignal& stop,
                  Reload& reload) {
  log_info("serving at {}", name);
  ::sd_notify(0, "READY=1");
  server.run(stop, reload);
  ::sd_notify(0, "STOPPING=1");
  return {};
}

Result<> serve_tcp(const ListenPlace& place, const Access& access, Site& site,
                   const StopSignal& stop, Reload& reload) {
  using net::ip::tcp;
  Server<tcp> server(access, site);
  CARAVEL_TRY(server.listen(tcp::endpoint(net::ip::make_address(place.address), place.port),
                            text_of(place)));
  ListenPlace taken = place;
  taken.port = server.local_endpoint().port();
  return serve_at(server, text_of(taken), stop, reload);
}

/// Removes the socket of a server that was killed: nobody listens at it.
void remove_stale_socket(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) return;
  net::io_context io;
  net::local::stream_protocol::socket probe(io);
  error_code error;
  probe.connect(net::local::stream_protocol::endpoint(path), error);
  if (error == net::error::connection_refused) ::unlink(path.c_str());
}

Result<> serve_unix(const ListenPlace& place, const Access& access, Site& site,
                    const StopSignal& stop, Reload& reload) {
  using net::local::stream_protocol;
  remove_stale_socket(place.path);
  Server<stream_protocol> server(access, site);
  // Not for others, from the first moment on; umask(2) is the process's, which has one thread.
  constexpr mode_t kOwnerAndGroup = 0117;
  const mode_t before = ::umask(kOwnerAndGroup);
  const auto listening = server.listen(stream_protocol::endpoint(place.path), text_of(place));
  ::umask(before);
  CARAVEL_TRY(listening);
  auto served = serve_at(server, text_of(place), stop, reload);
  ::unlink(place.path.c_str());
  return served;
}

}  // namespace

Result<> serve(const ListenPlace& place, const Access& access, Site& site, const StopSignal& stop,
               Reload& reload) {
  return place.is_unix() ? serve_unix(place, access, site, stop, reload)
                         : serve_tcp(place, access, site, stop, reload);
}

}  // namespace caravel::watcher
