#include "tests/support/postgres_server.h"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>

#include <fmt/format.h>
#include <libpq-fe.h>

#include "base/file.h"
#include "base/unique_fd.h"
#include "tests/support/free_port.h"

namespace caravel::testing {
namespace {

namespace fs = std::filesystem;

std::string program(const std::string& name) {
  if (const char* folder = std::getenv("CARAVEL_POSTGRES_BIN")) {
    return fmt::format("{}/{}", folder, name);
  }
  std::vector<std::string> found;
  std::error_code error;
  for (const auto& version : fs::directory_iterator("/usr/lib/postgresql", error)) {
    const std::string path = version.path() / "bin" / name;
    if (fs::exists(path)) found.push_back(path);
  }
  if (found.empty()) {
    throw std::runtime_error(name + " is missing: run scripts/setup, or set CARAVEL_POSTGRES_BIN");
  }
  return *std::max_element(found.begin(), found.end());
}

/// Whom the server runs as, if we are root; null if we are not.
const passwd* server_user() {
  if (::geteuid() != 0) return nullptr;
  const passwd* const user = ::getpwnam("postgres");
  if (user == nullptr) throw std::runtime_error("there is no user postgres (scripts/setup)");
  return user;
}

pid_t start_program(const std::vector<std::string>& words, const std::string& directory) {
  const passwd* const user = server_user();
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const std::string output = directory + "/output.txt";
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  if (user != nullptr && (::setgroups(0, nullptr) != 0 || ::setgid(user->pw_gid) != 0 ||
                          ::setuid(user->pw_uid) != 0)) {
    ::_exit(126);
  }
  // Behind setuid(2), which takes it away. SIGQUIT: its processes end with it.
  ::prctl(PR_SET_PDEATHSIG, SIGQUIT);
  if (::chdir(directory.c_str()) != 0) ::_exit(126);
  const int out = ::open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(out, STDERR_FILENO);
  ::execv(arguments[0], arguments.data());
  ::_exit(127);
}

using Pg = std::unique_ptr<PGconn, decltype(&PQfinish)>;

Pg connect(const std::string& url) {
  Pg made(PQconnectdb(url.c_str()), &PQfinish);
  PQsetNoticeProcessor(
      made.get(), [](void*, const char*) {}, nullptr);
  return made;
}

}  // namespace

PostgresServer::PostgresServer(std::vector<std::string> settings)
    : settings_(std::move(settings)), port_(free_port()) {
  url_ = fmt::format("postgresql://postgres@127.0.0.1:{}/postgres", port_);
  directory_ = (fs::temp_directory_path() / "caravel-postgres-XXXXXX").string();
  if (::mkdtemp(directory_.data()) == nullptr) throw std::runtime_error("mkdtemp");
  if (const passwd* user = server_user()) {
    if (::chown(directory_.c_str(), user->pw_uid, user->pw_gid) != 0) {
      throw std::runtime_error("chown");
    }
  }
  const pid_t pid =
      start_program({program("initdb"), "-D", directory_ + "/data", "-U", "postgres", "-A", "trust",
                     "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "--wal-segsize=1"},
                    directory_);
  int status = 0;
  if (::waitpid(pid, &status, 0) != pid || status != 0) {
    throw std::runtime_error("initdb failed; see " + directory_ + "/output.txt");
  }
  start();
}

void PostgresServer::start() {
  std::vector<std::string> words = {program("postgres"), "-D", directory_ + "/data", "-k",
                                    directory_,          "-p", std::to_string(port_)};
  std::vector<std::string> all = {"listen_addresses=127.0.0.1", "fsync=off", "shared_buffers=16MB",
                                  "max_connections=20"};
  all.insert(all.end(), settings_.begin(), settings_.end());
  for (const std::string& setting : all) words.insert(words.end(), {"-c", setting});
  pid_ = start_program(words, directory_);
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (PQstatus(connect(url_).get()) != CONNECTION_OK) {
    // There is no event for "takes connections now": ask again until it does, or has ended.
    ::poll(nullptr, 0, 20);
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) == pid_) {
      pid_ = -1;
      throw std::runtime_error("postgres ended at once; see " + directory_ + "/output.txt");
    }
    if (std::chrono::steady_clock::now() > until) {
      throw std::runtime_error("postgres takes no connections");
    }
  }
}

void PostgresServer::stop() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGQUIT);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

PostgresServer::~PostgresServer() {
  stop();
  std::error_code ignored;
  fs::remove_all(directory_, ignored);
}

void PostgresServer::add_file(const std::string& name, const std::string& content,
                              unsigned mode) const {
  const std::string path = directory_ + "/data/" + name;
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
  if (!write_all(fd.get(), content)) throw std::runtime_error(path);
  const passwd* const user = server_user();
  if (user != nullptr && ::fchown(fd.get(), user->pw_uid, user->pw_gid) != 0) {
    throw std::runtime_error(path);
  }
}

std::string PostgresServer::sql(const std::string& statements) const {
  const Pg connection = connect(url_);
  const std::unique_ptr<PGresult, decltype(&PQclear)> result(
      PQexec(connection.get(), statements.c_str()), &PQclear);
  const ExecStatusType status = PQresultStatus(result.get());
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
    throw std::runtime_error(PQerrorMessage(connection.get()));
  }
  return PQntuples(result.get()) > 0 ? PQgetvalue(result.get(), 0, 0) : "";
}

PostgresServer& shared_postgres_server() {
  static PostgresServer server;
  return server;
}

}  // namespace caravel::testing
