#include "uploader/postgresql/wire/sqlstate.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace caravel::uploader {
namespace {

constexpr std::size_t kStateSize = 5;
constexpr std::size_t kMostWords = 500;

bool begins_with_any(std::string_view state, std::initializer_list<std::string_view> beginnings) {
  return std::any_of(beginnings.begin(), beginnings.end(),
                     [&](std::string_view begin) { return state.starts_with(begin); });
}

bool is_state(std::string_view text) {
  return text.size() == kStateSize && std::all_of(text.begin(), text.end(), [](char c) {
           return is_digit(c) || (c >= 'A' && c <= 'Z');
         });
}

/// The place behind the "NNNNN" of "FATAL:  NNNNN: words" in `line`; npos if there is none.
std::size_t behind_state(std::string_view line, std::string_view& state) {
  constexpr std::string_view kMark = ":  ";
  for (std::size_t at = line.find(kMark); at != std::string_view::npos;
       at = line.find(kMark, at + 1)) {
    const std::size_t begin = at + kMark.size();
    if (!is_state(line.substr(begin, kStateSize)) || line.substr(begin + kStateSize, 2) != ": ") {
      continue;
    }
    state = line.substr(begin, kStateSize);
    return begin + kStateSize + 2;
  }
  return std::string_view::npos;
}

template <class Visit>
void for_each_line(std::string_view words, Visit visit) {
  while (!words.empty()) {
    const std::size_t end = std::min(words.find('\n'), words.size());
    visit(words.substr(0, end));
    words.remove_prefix(std::min(words.size(), end + 1));
  }
}

}  // namespace

ErrorKind kind_of_state(std::string_view state) {
  // 08 connection, 40 rollback (serialization, deadlock), 53 resources (a full disk, too many
  // connections), 57 operator (shutdown, cancelled, starting up), 58 system.
  // 57P04: the database itself was dropped.
  if (state == "57P04") return ErrorKind::fault;
  if (begins_with_any(state, {"08", "40", "53", "57", "58"})) return ErrorKind::retry;
  static constexpr std::array<std::string_view, 6> kPassing = {
      "25006",   // read_only_sql_transaction: a standby, before or after a failover
      "25P03",   // idle_in_transaction_session_timeout
      "25P02",   // in_failed_sql_transaction: what failed before is sent again
      "55006",   // object_in_use
      "55P03",   // lock_not_available
      "XX000"};  // internal_error: "tuple concurrently updated", "cache lookup failed"
  const bool passes = std::find(kPassing.begin(), kPassing.end(), state) != kPassing.end();
  return passes ? ErrorKind::retry : ErrorKind::fault;
}

bool speaks_of_row(std::string_view state) {
  // 22 data exception, 23 integrity constraint, 44 WITH CHECK OPTION, 54000 and 54001 limits (an
  // index entry that is too long, a row too big, JSON too deep), P0001 RAISE in a trigger of
  // people.
  return begins_with_any(state, {"22", "23", "44", "54000", "54001", "P0001"});
}

bool was_made_meanwhile(std::string_view state) {
  // duplicate_table, duplicate_column, duplicate_schema, duplicate_object, unique_violation of a
  // catalog
  return begins_with_any(state, {"42P07", "42701", "42P06", "42710", "23505"});
}

std::vector<std::string> states_in(std::string_view words) {
  std::vector<std::string> states;
  for_each_line(words, [&](std::string_view line) {
    std::string_view state;
    if (behind_state(line, state) != std::string_view::npos) states.emplace_back(state);
  });
  return states;
}

ErrorKind kind_of_refused_connection(std::string_view words) {
  const auto states = states_in(words);
  // TLS: neither waiting nor another server mends a certificate. libpq has no code for these; its
  // words are English, because the program calls no setlocale(3).
  for (const std::string_view sign :
       {"certificate verify failed", "does not match host name", "root certificate file",
        "does not support SSL", "could not load private key", "could not open certificate file",
        "private key file", "could not get server's host name"}) {
    if (words.find(sign) != std::string_view::npos) return ErrorKind::fault;
  }
  if (states.empty()) return ErrorKind::retry;
  // One of several servers that only waits may be the one that comes back.
  const bool passes = std::any_of(states.begin(), states.end(), [](const std::string& state) {
    return kind_of_state(state) == ErrorKind::retry;
  });
  return passes ? ErrorKind::retry : ErrorKind::fault;
}

std::string plain_words(std::string_view words) {
  std::string plain;
  for_each_line(words, [&](std::string_view line) {
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    // DETAIL has the whole row, LOCATION a line of the server's source.
    if (line.empty() || begins_with_any(line, {"LOCATION:", "DETAIL:", "CONTEXT:", "STATEMENT:"})) {
      return;
    }
    if (!plain.empty()) plain += "; ";
    std::string_view state;
    const std::size_t behind = behind_state(line, state);
    if (behind == std::string_view::npos) {
      plain += line;
      return;
    }
    plain += line.substr(0, behind - kStateSize - 2);
    plain += line.substr(behind);
  });
  return shown(plain, kMostWords);
}

}  // namespace caravel::uploader
