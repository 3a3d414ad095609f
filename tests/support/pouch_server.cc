#include "tests/support/pouch_server.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>

#include <curl/curl.h>
#include <fmt/format.h>

#include "tests/support/free_port.h"

namespace caravel::testing {
namespace {

std::string server_program() {
  const char* modules = std::getenv("CARAVEL_NODE_MODULES");
  const std::string folder =
      modules != nullptr ? modules : std::string(CARAVEL_SOURCE_DIR) + "/node_modules";
  const std::string program = folder + "/pouchdb-server/bin/pouchdb-server";
  if (!std::filesystem::exists(program)) {
    throw std::runtime_error(program +
                             " is missing: run scripts/setup, or set CARAVEL_NODE_MODULES");
  }
  return program;
}

std::size_t take(char* data, std::size_t, std::size_t size, void* out) {
  static_cast<std::string*>(out)->append(data, size);
  return size;
}

bool send(const std::string& method, const std::string& url, const std::string& body,
          std::string& reply) {
  CURL* easy = ::curl_easy_init();
  curl_slist* headers = ::curl_slist_append(nullptr, "Content-Type: application/json");
  ::curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
  ::curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method.c_str());
  ::curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  ::curl_easy_setopt(easy, CURLOPT_TIMEOUT, 20L);
  ::curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
  if (!body.empty()) ::curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body.c_str());
  ::curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take);
  ::curl_easy_setopt(easy, CURLOPT_WRITEDATA, &reply);
  const bool answered = ::curl_easy_perform(easy) == CURLE_OK;
  ::curl_slist_free_all(headers);
  ::curl_easy_cleanup(easy);
  return answered;
}

}  // namespace

PouchServer::PouchServer() {
  const std::string program = server_program();
  const std::string port = std::to_string(free_port());
  url_ = "http://127.0.0.1:" + port;
  // It writes its log and its configuration where it is started.
  directory_ = (std::filesystem::temp_directory_path() / "caravel-pouch-XXXXXX").string();
  if (::mkdtemp(directory_.data()) == nullptr) throw std::runtime_error("mkdtemp");
  pid_ = ::fork();
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::chdir(directory_.c_str()) != 0) ::_exit(126);
    const int out = ::open("output.txt", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(out, STDERR_FILENO);
    ::execlp("node", "node", program.c_str(), "--in-memory", "--host", "127.0.0.1", "--port",
             port.c_str(), static_cast<char*>(nullptr));
    ::_exit(127);
  }
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  std::string reply;
  while (!send("GET", url_ + "/", {}, reply)) {
    // There is no event for "listens now": ask again until it does, or has ended.
    ::poll(nullptr, 0, 50);
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) == pid_) {
      pid_ = -1;
      throw std::runtime_error("pouchdb-server ended at once; see " + directory_ +
                               "/output.txt (is node there?)");
    }
    if (std::chrono::steady_clock::now() > until) {
      throw std::runtime_error("pouchdb-server does not answer");
    }
  }
}

PouchServer::~PouchServer() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

std::string PouchServer::request(const std::string& method, const std::string& path,
                                 const std::string& body) const {
  std::string reply;
  if (!send(method, url_ + path, body, reply)) throw std::runtime_error("no reply: " + path);
  return reply;
}

PouchServer& shared_pouch_server() {
  static PouchServer server;
  return server;
}

}  // namespace caravel::testing
