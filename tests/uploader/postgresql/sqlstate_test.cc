#include "uploader/postgresql/wire/sqlstate.h"

#include <gmock/gmock.h>

namespace caravel::testing {
namespace {

using uploader::kind_of_refused_connection;
using uploader::kind_of_state;
using uploader::plain_words;
using uploader::speaks_of_row;
using uploader::states_in;

TEST(SqlState, SaysWhatToDo) {
  for (const char* state : {"08006", "40001", "40P01", "53100", "53300", "57P01", "57P03", "57014",
                            "25006", "58030", "XX000", "55P03"}) {
    EXPECT_EQ(kind_of_state(state), ErrorKind::retry) << state;
    EXPECT_FALSE(speaks_of_row(state)) << state;
  }
  for (const char* state :
       {"28P01", "3D000", "42501", "42P01", "42703", "57P04", "XX001", "99999"}) {
    EXPECT_EQ(kind_of_state(state), ErrorKind::fault) << state;
    EXPECT_FALSE(speaks_of_row(state)) << state;
  }
  for (const char* state :
       {"22003", "22021", "22P02", "23502", "23505", "23514", "44000", "54000", "P0001"}) {
    EXPECT_TRUE(speaks_of_row(state)) << state;
  }
}

TEST(SqlState, AConnectionThatIsRefusedIsJudgedByTheStatesInIt) {
  const std::string full =
      "connection to server at \"10.0.0.1\", port 5432 failed: FATAL:  53300: zu viele "
      "Verbindungen\nLOCATION:  InitPostgres, postinit.c:800\n";
  EXPECT_EQ(states_in(full), std::vector<std::string>{"53300"});
  EXPECT_EQ(kind_of_refused_connection(full), ErrorKind::retry);
  EXPECT_EQ(
      plain_words(full),
      "connection to server at \"10.0.0.1\", port 5432 failed: FATAL:  zu viele Verbindungen");
  const std::string login = "connection to server … failed: FATAL:  28P01: password refused\n";
  EXPECT_EQ(kind_of_refused_connection(login), ErrorKind::fault);
  // One of two servers is starting up: it may come.
  EXPECT_EQ(kind_of_refused_connection(login + "… failed: FATAL:  57P03: starting up\n"),
            ErrorKind::retry);
  EXPECT_EQ(kind_of_refused_connection("Connection refused"), ErrorKind::retry);
  EXPECT_EQ(kind_of_refused_connection("SSL error: certificate verify failed"), ErrorKind::fault);
  EXPECT_EQ(kind_of_refused_connection("server does not support SSL, but SSL was required"),
            ErrorKind::fault);
}

TEST(SqlState, WordsOfTheServerAreOneBoundedLineThatHidesNothing) {
  EXPECT_EQ(plain_words("a\nDETAIL:  Failing row contains (secret).\nb\x1b[0m"), "a; b\\x1B[0m");
  EXPECT_LT(plain_words(std::string(100'000, 'x')).size(), 600U);
}

}  // namespace
}  // namespace caravel::testing
