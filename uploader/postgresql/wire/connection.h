// A connection to a PostgreSQL server, by libpq's asynchronous functions: nothing waits longer than
// its time, and a stop ends every wait at once.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <libpq-fe.h>

#include "base/error.h"
#include "base/stop_signal.h"
#include "uploader/postgresql/wire/conninfo.h"

namespace caravel::uploader {

/// The rows that a statement returned, as texts.
class Reply {
 public:
  Reply() = default;
  explicit Reply(PGresult* result) : result_(result, &PQclear) {}

  [[nodiscard]] int rows() const { return result_ ? PQntuples(result_.get()) : 0; }
  [[nodiscard]] int columns() const { return result_ ? PQnfields(result_.get()) : 0; }
  [[nodiscard]] bool is_null(int row, int column) const {
    return PQgetisnull(result_.get(), row, column) != 0;
  }
  [[nodiscard]] std::string_view text(int row, int column) const;
  [[nodiscard]] std::uint64_t number(int row, int column) const;
  [[nodiscard]] bool flag(int row, int column) const { return text(row, column) == "t"; }
  [[nodiscard]] std::string_view name(int column) const { return PQfname(result_.get(), column); }
  [[nodiscard]] Oid type(int column) const { return PQftype(result_.get(), column); }
  /// How many rows an INSERT or DELETE changed.
  [[nodiscard]] std::uint64_t changed() const;
  /// "COMMIT", "ROLLBACK", "INSERT 0 5": what the server did.
  [[nodiscard]] std::string_view command() const { return PQcmdStatus(result_.get()); }

 private:
  std::unique_ptr<PGresult, decltype(&PQclear)> result_{nullptr, &PQclear};
};

/// A name within a statement.
[[nodiscard]] std::string quoted_name(std::string_view name);
/// A text within a statement; `text` holds no NUL.
[[nodiscard]] std::string quoted_text(std::string_view text);
/// Texts as the text of an array: {"a","b"}.
[[nodiscard]] std::string array_text(const std::vector<std::string_view>& values);
[[nodiscard]] std::string array_text(const std::vector<std::string>& values);

/// One thread at a time. After an error that is not the server's word on a statement (a lost
/// connection, no answer in time, a stop) it is closed: the server takes the transaction back.
class Connection {
 public:
  /// Logs in. `timeout` bounds this, and each statement. Errors: retry, fault, stopped; without
  /// secrets.
  [[nodiscard]] static Result<Connection> open(const ConnectOptions& options,
                                               std::chrono::milliseconds timeout,
                                               const StopSignal& stop);

  [[nodiscard]] bool is_open() const { return connection_ != nullptr; }
  /// False if the server has closed it meanwhile, as it may while nothing is asked.
  [[nodiscard]] bool still_there(const StopSignal& stop);
  void close() { connection_.reset(); }

  /// One statement, with its parameters $1, $2, … as texts.
  [[nodiscard]] Result<Reply> run(const std::string& sql,
                                  const std::vector<std::string>& parameters,
                                  const StopSignal& stop);
  /// Several statements with ';' between them; the reply is the last one's. `meanwhile` is called
  /// when they are sent, and may take its time.
  [[nodiscard]] Result<Reply> run(const std::string& sql, const StopSignal& stop,
                                  const std::function<void()>& meanwhile = {});
  /// One statement whose rows are handed over one by one, however many there are and however long
  /// the server looks for them.
  [[nodiscard]] Result<> each(const std::string& sql, const std::vector<std::string>& parameters,
                              const std::function<void(const Reply&)>& visit,
                              const StopSignal& stop);
  /// COPY … FROM STDIN. `next` gives one piece of what is sent after the other, and an empty one at
  /// the end: the server works on one while the next is made. The reply says how many rows came of
  /// it.
  [[nodiscard]] Result<Reply> copy_in(const std::string& sql,
                                      const std::function<std::string()>& next,
                                      const StopSignal& stop);

  /// The SQLSTATE of the statement that failed last; "" if it was not the server's word.
  [[nodiscard]] const std::string& state() const { return state_; }
  [[nodiscard]] int server_version() const { return PQserverVersion(connection_.get()); }
  /// "TLSv1.3 TLS_AES_256_GCM_SHA384", "" without TLS.
  [[nodiscard]] std::string encryption() const;
  [[nodiscard]] std::string host() const;

 private:
  using Deadline = std::chrono::steady_clock::time_point;
  explicit Connection(PGconn* connection, std::chrono::milliseconds timeout)
      : connection_(connection, &PQfinish), timeout_(timeout) {}

  [[nodiscard]] Result<> log_in(const StopSignal& stop);
  [[nodiscard]] Result<> wait(short events, Deadline deadline, const StopSignal& stop);
  [[nodiscard]] Result<> flush(Deadline deadline, const StopSignal& stop);
  [[nodiscard]] Result<PGresult*> next_result(Deadline deadline, const StopSignal& stop);
  [[nodiscard]] Result<Reply> replies(Deadline deadline, const StopSignal& stop);
  [[nodiscard]] Deadline deadline() const { return std::chrono::steady_clock::now() + timeout_; }
  [[nodiscard]] Result<> send(const std::string& sql, const std::vector<std::string>& parameters);
  [[nodiscard]] Error error_of(const PGresult* result);
  [[nodiscard]] tl::unexpected<Error> lost();

  std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
  std::chrono::milliseconds timeout_;
  std::string state_;
};

}  // namespace caravel::uploader
