#include "uploader/postgresql/wire/connection.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include <fmt/format.h>

#include "base/text.h"
#include "uploader/postgresql/wire/sqlstate.h"

namespace caravel::uploader {
namespace {

using std::chrono::steady_clock;

std::uint64_t number_in(std::string_view text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/// Both quotes of SQL work alike: doubled inside.
std::string in_quotes(std::string_view text, char quote) {
  std::string quoted(1, quote);
  for (const char c : text) {
    if (c == quote) quoted.push_back(c);
    quoted.push_back(c);
  }
  quoted.push_back(quote);
  return quoted;
}

}  // namespace

std::string_view Reply::text(int row, int column) const {
  return {PQgetvalue(result_.get(), row, column),
          static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
}

std::uint64_t Reply::number(int row, int column) const { return number_in(text(row, column)); }

std::uint64_t Reply::changed() const { return number_in(PQcmdTuples(result_.get())); }

std::string quoted_name(std::string_view name) { return in_quotes(name, '"'); }

/// With an E in front a backslash means the same whatever standard_conforming_strings says.
std::string quoted_text(std::string_view text) {
  std::string doubled;
  for (const char c : text) {
    if (c == '\\') doubled.push_back(c);
    doubled.push_back(c);
  }
  return "E" + in_quotes(doubled, '\'');
}

std::string array_text(const std::vector<std::string_view>& values) {
  std::string text = "{";
  for (const std::string_view value : values) {
    text.append(text.size() > 1 ? ",\"" : "\"");
    if (value.find_first_of("\"\\") == std::string_view::npos) {
      text.append(value);
    } else {
      for (const char c : value) {
        if (c == '"' || c == '\\') text.push_back('\\');
        text.push_back(c);
      }
    }
    text.push_back('"');
  }
  text.push_back('}');
  return text;
}

std::string array_text(const std::vector<std::string>& values) {
  return array_text(std::vector<std::string_view>(values.begin(), values.end()));
}

Result<Connection> Connection::open(const ConnectOptions& options,
                                    std::chrono::milliseconds timeout, const StopSignal& stop) {
  std::vector<const char*> names;
  std::vector<const char*> values;
  for (const auto& [name, value] : options) {
    names.push_back(name.c_str());
    values.push_back(value.c_str());
  }
  names.push_back(nullptr);
  values.push_back(nullptr);
  Connection made(PQconnectStartParams(names.data(), values.data(), 0), timeout);
  if (!made.connection_) return fail(ErrorKind::retry, "out of memory");
  // Else libpq writes what servers and triggers say to stderr, past every escape.
  PQsetNoticeProcessor(
      made.connection_.get(), [](void*, const char*) {}, nullptr);
  PQsetErrorVerbosity(made.connection_.get(), PQERRORS_VERBOSE);
  CARAVEL_TRY(made.log_in(stop));
  PQsetErrorVerbosity(made.connection_.get(), PQERRORS_DEFAULT);
  if (PQsetnonblocking(made.connection_.get(), 1) != 0) return fail(ErrorKind::retry, "no memory");
  return made;
}

Result<> Connection::log_in(const StopSignal& stop) {
  const Deadline until = deadline();
  PostgresPollingStatusType status = PGRES_POLLING_WRITING;
  for (;;) {
    if (PQstatus(connection_.get()) == CONNECTION_BAD) status = PGRES_POLLING_FAILED;
    if (status == PGRES_POLLING_OK) return {};
    if (status == PGRES_POLLING_FAILED) {
      const std::string words = PQerrorMessage(connection_.get());
      return fail(kind_of_refused_connection(words), plain_words(words));
    }
    CARAVEL_TRY(wait(status == PGRES_POLLING_READING ? POLLIN : POLLOUT, until, stop));
    status = PQconnectPoll(connection_.get());
  }
}

/// Until the socket is ready. Whatever else ends the wait closes the connection.
Result<> Connection::wait(short events, Deadline until, const StopSignal& stop) {
  pollfd waits[] = {{stop.fd(), POLLIN, 0}, {PQsocket(connection_.get()), events, 0}};
  for (;;) {
    const auto left = until - steady_clock::now();
    const int ready = ::poll(waits, std::size(waits), poll_timeout(left));
    if (stop.requested()) {
      close();
      return fail(ErrorKind::stopped, "asked to stop");
    }
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return fail_with_errno("poll", errno);
    if (steady_clock::now() < until) continue;
    close();
    state_.clear();
    return fail(ErrorKind::retry,
                fmt::format("no answer within {} s",
                            std::chrono::duration_cast<std::chrono::seconds>(timeout_).count()));
  }
}

bool Connection::still_there(const StopSignal& stop) {
  // What the server said before it closed is read as a notice: only an answer says that it is
  // there.
  return is_open() && run("SELECT 1", stop).has_value();
}

tl::unexpected<Error> Connection::lost() {
  const std::string words = plain_words(PQerrorMessage(connection_.get()));
  close();
  state_.clear();
  return fail(ErrorKind::retry, words.empty() ? "the connection was lost" : words);
}

Result<> Connection::flush(Deadline until, const StopSignal& stop) {
  for (;;) {
    const int left = PQflush(connection_.get());
    if (left == 0) return {};
    if (left < 0) return lost();
    // The server may have to be listened to before it takes more.
    CARAVEL_TRY(wait(POLLIN | POLLOUT, until, stop));
    if (PQconsumeInput(connection_.get()) == 0) return lost();
  }
}

/// Null behind the last result of what was sent.
Result<PGresult*> Connection::next_result(Deadline until, const StopSignal& stop) {
  while (PQisBusy(connection_.get()) != 0) {
    CARAVEL_TRY(wait(POLLIN, until, stop));
    if (PQconsumeInput(connection_.get()) == 0) return lost();
  }
  return PQgetResult(connection_.get());
}

Error Connection::error_of(const PGresult* result) {
  const char* const state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const char* const words = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  state_ = state != nullptr ? state : "";
  // Without a state libpq itself speaks: the connection broke off.
  if (state_.empty()) return {ErrorKind::retry, plain_words(PQresultErrorMessage(result))};
  return {kind_of_state(state_), plain_words(words != nullptr ? words : "no reason given")};
}

/// Reads all results; the first error counts, else the last reply.
Result<Reply> Connection::replies(Deadline until, const StopSignal& stop) {
  Reply last;
  std::optional<Error> error;
  for (;;) {
    CARAVEL_ASSIGN_OR_RETURN(PGresult* const result, next_result(until, stop));
    if (result == nullptr) break;
    Reply reply(result);
    const ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE) {
      if (!error) error = error_of(result);
    } else if (status == PGRES_COPY_IN) {
      return reply;
    } else {
      last = std::move(reply);
    }
  }
  if (PQstatus(connection_.get()) == CONNECTION_BAD) {
    // The server's last word says why it goes: a shutdown, say.
    if (!error) return lost();
    close();
  }
  if (error) return tl::unexpected(*std::move(error));
  return last;
}

Result<> Connection::send(const std::string& sql, const std::vector<std::string>& parameters) {
  state_.clear();
  if (!is_open()) return fail(ErrorKind::retry, "the connection was lost");
  std::vector<const char*> values;
  for (const std::string& parameter : parameters) values.push_back(parameter.c_str());
  const int sent =
      PQsendQueryParams(connection_.get(), sql.c_str(), static_cast<int>(values.size()), nullptr,
                        values.data(), nullptr, nullptr, 0);
  if (sent == 0) return lost();
  return {};
}

Result<Reply> Connection::run(const std::string& sql, const std::vector<std::string>& parameters,
                              const StopSignal& stop) {
  const Deadline until = deadline();
  CARAVEL_TRY(send(sql, parameters));
  CARAVEL_TRY(flush(until, stop));
  return replies(until, stop);
}

Result<Reply> Connection::run(const std::string& sql, const StopSignal& stop,
                              const std::function<void()>& meanwhile) {
  const Deadline until = deadline();
  state_.clear();
  if (!is_open()) return fail(ErrorKind::retry, "the connection was lost");
  if (PQsendQuery(connection_.get(), sql.c_str()) == 0) return lost();
  CARAVEL_TRY(flush(until, stop));
  if (meanwhile) meanwhile();
  return replies(until, stop);
}

Result<> Connection::each(const std::string& sql, const std::vector<std::string>& parameters,
                          const std::function<void(const Reply&)>& visit, const StopSignal& stop) {
  // Keepalives notice a host that is gone; a search through a large table has no time to keep.
  constexpr std::chrono::hours kForEver{24 * 365};
  const Deadline until = steady_clock::now() + kForEver;
  CARAVEL_TRY(run("SET statement_timeout = 0", stop));
  CARAVEL_TRY(send(sql, parameters));
  // One row at a time, so that memory does not grow with the table.
  if (PQsetSingleRowMode(connection_.get()) == 0) return lost();
  CARAVEL_TRY(flush(until, stop));
  for (;;) {
    CARAVEL_ASSIGN_OR_RETURN(PGresult* const result, next_result(until, stop));
    if (result == nullptr) break;
    const Reply reply(result);
    const ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_SINGLE_TUPLE) {
      visit(reply);
    } else if (status != PGRES_TUPLES_OK) {
      Error error = error_of(result);
      close();
      return tl::unexpected(std::move(error));
    }
  }
  CARAVEL_TRY(run(fmt::format("SET statement_timeout = {}", timeout_.count()), stop));
  return {};
}

Result<Reply> Connection::copy_in(const std::string& sql, const std::function<std::string()>& next,
                                  const StopSignal& stop) {
  CARAVEL_TRY(run(sql, stop));
  const Deadline until = deadline();
  for (std::string piece = next(); !piece.empty(); piece = next()) {
    // In non-blocking mode 0 means that libpq could not make room yet.
    for (int put = 0; put == 0;) {
      put = PQputCopyData(connection_.get(), piece.data(), static_cast<int>(piece.size()));
      if (put < 0) return lost();
      CARAVEL_TRY(flush(until, stop));
    }
  }
  for (int ended = 0; ended == 0;) {
    ended = PQputCopyEnd(connection_.get(), nullptr);
    if (ended < 0) return lost();
    CARAVEL_TRY(flush(until, stop));
  }
  return replies(until, stop);
}

std::string Connection::encryption() const {
  if (PQsslInUse(connection_.get()) == 0) return {};
  const char* const protocol = PQsslAttribute(connection_.get(), "protocol");
  const char* const cipher = PQsslAttribute(connection_.get(), "cipher");
  return fmt::format("{} {}", protocol != nullptr ? protocol : "TLS",
                     cipher != nullptr ? cipher : "");
}

std::string Connection::host() const {
  const char* const host = PQhost(connection_.get());
  const char* const port = PQport(connection_.get());
  return fmt::format("{}:{}", host != nullptr ? host : "", port != nullptr ? port : "");
}

}  // namespace caravel::uploader
