// A CouchDB that stores nothing: it says yes to every document, as quickly as it can, and counts.
// What is left of an upload's time is then the uploader's own.
//
//   null_couch [--events] [--keep DIRECTORY]
//
// Prints "port N" once it listens on a free loopback port, and ends with its standard input. With
// --events each request that stores something is a line of standard output: `bulk NANOSECONDS
// DOCUMENTS` or `put NANOSECONDS ID`, where the time is CLOCK_MONOTONIC when the first byte of the
// request was there. With
// --keep the body of each bulk request becomes a file: curl sends them again, to be measured beside
// Caravel.
//
// GET /_totals says what came: requests and documents of _bulk_docs, their bytes, the sum of the
// CRC-32 of all ids (whatever their order), and the documents that came one by one. DELETE /_totals
// forgets it.
//
// A request must have a Content-Length. Not here: authorisation, gzip, chunks, conflicts, reading
// back.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace {

struct Totals {
  std::uint64_t requests = 0;
  std::uint64_t documents = 0;
  std::uint64_t bytes = 0;
  std::uint64_t ids = 0;  // the sum of their CRC-32
  std::uint64_t puts = 0;
};

struct Server {
  bool events = false;
  std::string keep;  // a directory; "" = bodies are not kept
  std::mutex mutex;
  Totals totals;
};

struct Request {
  std::string_view method;
  std::string_view path;
  std::string_view body;
  long long first_byte = 0;  // CLOCK_MONOTONIC, nanoseconds
};

struct Reply {
  int status = 200;
  std::string body;
};

long long monotonic_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}

std::uint64_t crc_of(std::string_view text) {
  return crc32(0, reinterpret_cast<const Bytef*>(text.data()), static_cast<uInt>(text.size()));
}

std::string decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      out.push_back(
          static_cast<char>(std::strtol(std::string(text.substr(i + 1, 2)).c_str(), nullptr, 16)));
      i += 2;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

constexpr std::string_view kRevision = "1-967a00dff5e02add41819138abb3284d";

/// Calls `take` with each id of a body: what stands behind `head` up to the next quote. A quote
/// within a value is escaped, so `head` can stand nowhere else.
template <class Take>
void for_each_id(std::string_view body, std::string_view head, const Take& take) {
  for (std::size_t at = body.find(head); at != std::string_view::npos; at = body.find(head, at)) {
    at += head.size();
    take(body.substr(at, body.find('"', at) - at));
  }
}

/// Each document begins with its id, as Caravel writes them.
Reply bulk_docs(Server& server, const Request& request) {
  Totals came;
  Reply reply{201, "["};
  reply.body.reserve(request.body.size() / 2);
  for_each_id(request.body, R"({"_id":")", [&](std::string_view id) {
    reply.body.append(came.documents == 0 ? "" : ",").append(R"({"ok":true,"id":")").append(id);
    reply.body.append(R"(","rev":")").append(kRevision).append(R"("})");
    came.ids += crc_of(id);
    ++came.documents;
  });
  reply.body.append("]\n");
  const std::scoped_lock lock(server.mutex);
  ++server.totals.requests;
  server.totals.documents += came.documents;
  server.totals.ids += came.ids;
  server.totals.bytes += request.body.size();
  if (server.events) {
    std::printf("bulk %lld %llu\n", request.first_byte,
                static_cast<unsigned long long>(came.documents));
    std::fflush(stdout);
  }
  if (!server.keep.empty()) {
    char name[32];
    std::snprintf(name, sizeof name, "/%06llu.json",
                  static_cast<unsigned long long>(server.totals.requests));
    std::ofstream(server.keep + name, std::ios::binary) << request.body;
  }
  return reply;
}

/// Before its feed document an upload asks for a few of its rows. All are there, as they were sent.
Reply bulk_get(const Request& request) {
  Reply reply{200, R"({"results":[)"};
  for_each_id(request.body, R"({"id":")", [&](std::string_view id) {
    reply.body.append(reply.body.back() == '[' ? "" : ",").append(R"({"id":")").append(id);
    reply.body.append(R"(","docs":[{"ok":{"_id":")").append(id);
    reply.body.append(R"(","_rev":")").append(kRevision).append(R"("}}]})");
  });
  reply.body.append("]}\n");
  return reply;
}

Reply totals(Server& server, bool forget) {
  const std::scoped_lock lock(server.mutex);
  const Totals& all = server.totals;
  Reply reply{200, R"({"requests":)" + std::to_string(all.requests) + R"(,"documents":)" +
                       std::to_string(all.documents) + R"(,"bytes":)" + std::to_string(all.bytes) +
                       R"(,"ids":)" + std::to_string(all.ids) + R"(,"puts":)" +
                       std::to_string(all.puts) + "}\n"};
  if (forget) server.totals = {};
  return reply;
}

Reply put_document(Server& server, const Request& request, std::string_view id) {
  const std::string whole = decoded(id);
  const std::scoped_lock lock(server.mutex);
  ++server.totals.puts;
  if (server.events) {
    std::printf("put %lld %s\n", request.first_byte, whole.c_str());
    std::fflush(stdout);
  }
  return {201, R"({"ok":true,"id":")" + whole + R"(","rev":")" + std::string(kRevision) + "\"}\n"};
}

Reply answer(Server& server, const Request& request) {
  const std::string_view path = request.path.substr(0, request.path.find('?'));
  if (path == "/_totals") return totals(server, request.method == "DELETE");
  if (path == "/") return {200, R"({"couchdb":"Welcome","version":"3.5.0"})"};
  const std::size_t slash = path.find('/', 1);
  if (slash == std::string_view::npos) {
    if (request.method == "PUT") return {201, R"({"ok":true})"};
    // A start time that stays the same: the database was never made anew.
    return {200, R"({"db_name":"bench","instance_start_time":"1700000000","doc_count":0})"};
  }
  const std::string_view what = path.substr(slash + 1);
  if (request.method == "POST" && what == "_bulk_docs") return bulk_docs(server, request);
  if (request.method == "POST" && what == "_bulk_get") return bulk_get(request);
  if (request.method == "PUT") return put_document(server, request, what);
  return {404, R"({"error":"not_found","reason":"missing"})"};
}

/// Bytes of one connection; what was read too much stays for the next request.
class Connection {
 public:
  explicit Connection(int socket) : socket_(socket) {}

  /// False at the end of the connection. The request's views are valid until the next call.
  bool next(Request& request) {
    buffer_.erase(0, used_);
    used_ = 0;
    request.first_byte = monotonic_ns();
    while (buffer_.find("\r\n\r\n") == std::string::npos) {
      const bool first = buffer_.empty();
      if (!receive()) return false;
      if (first) request.first_byte = monotonic_ns();
    }
    const std::size_t head = buffer_.find("\r\n\r\n") + 4;
    const std::size_t length = body_bytes(std::string_view(buffer_).substr(0, head));
    buffer_.reserve(head + length);
    while (buffer_.size() < head + length) {
      if (!receive()) return false;
    }
    used_ = head + length;
    const std::string_view all(buffer_);
    const std::size_t blank = all.find(' ');
    request.method = all.substr(0, blank);
    request.path = all.substr(blank + 1, all.find(' ', blank + 1) - blank - 1);
    request.body = all.substr(head, length);
    return true;
  }

  bool send(const Reply& reply) const {
    const std::string text = "HTTP/1.1 " + std::to_string(reply.status) +
                             " Fine\r\nServer: null_couch\r\nContent-Type: application/json\r\n"
                             "Content-Length: " +
                             std::to_string(reply.body.size()) + "\r\n\r\n" + reply.body;
    std::size_t sent = 0;
    while (sent < text.size()) {
      const ssize_t now = ::send(socket_, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
      if (now <= 0) return false;
      sent += static_cast<std::size_t>(now);
    }
    return true;
  }

 private:
  bool receive() {
    constexpr std::size_t kPiece = 256 << 10;
    const std::size_t before = buffer_.size();
    buffer_.resize(before + kPiece);
    const ssize_t got = ::recv(socket_, buffer_.data() + before, kPiece, 0);
    buffer_.resize(before + static_cast<std::size_t>(got > 0 ? got : 0));
    return got > 0;
  }

  static std::size_t body_bytes(std::string_view head) {
    constexpr std::string_view kName = "content-length:";
    for (std::size_t at = 0; at + kName.size() < head.size(); ++at) {
      if (strncasecmp(head.data() + at, kName.data(), kName.size()) == 0) {
        return static_cast<std::size_t>(
            std::strtoull(head.data() + at + kName.size(), nullptr, 10));
      }
    }
    return 0;
  }

  int socket_;
  std::string buffer_;
  std::size_t used_ = 0;
};

void serve(Server& server, int socket) {
  const int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  Connection connection(socket);
  Request request;
  while (connection.next(request) && connection.send(answer(server, request))) {
  }
  close(socket);
}

/// A socket that listens on a free loopback port, which is written to `port`.
int listen_on_loopback(unsigned& port) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* const general = reinterpret_cast<sockaddr*>(&address);
  if (listener < 0 || bind(listener, general, length) != 0 || listen(listener, 64) != 0 ||
      getsockname(listener, general, &length) != 0) {
    return -1;
  }
  port = ntohs(address.sin_port);
  return listener;
}

}  // namespace

int main(int argc, char** argv) {
  // Never freed: threads of connections may still use it when the process ends.
  auto& server = *new Server;
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    if (option == "--events") {
      server.events = true;
    } else if (option == "--keep" && i + 1 < argc) {
      server.keep = argv[++i];
    } else {
      return 2;
    }
  }
  unsigned port = 0;
  const int listener = listen_on_loopback(port);
  if (listener < 0) return 1;
  std::printf("port %u\n", port);
  std::fflush(stdout);
  std::thread([listener, &server] {
    for (;;) {
      const int socket = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
      if (socket >= 0) std::thread(serve, std::ref(server), socket).detach();
    }
  }).detach();
  char byte = 0;
  while (read(STDIN_FILENO, &byte, 1) > 0) {
  }
  std::_Exit(0);
}
