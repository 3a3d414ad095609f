// A ledger of its own for each test, and verbs for an extract's way through it.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "tests/support/config_fixture.h"
#include "watcher/ledger/extracts.h"
#include "watcher/ledger/ledger.h"

namespace caravel::watcher {

inline const Time kNow = parse_time_text("2012-03-09T10:00:00.000Z").value();
inline const std::string kSha(64, 'a');
inline const std::string kOtherSha(64, 'b');

class LedgerTest : public testing::Test {
 protected:
  LedgerTest() { Reopen(); }

  void Reopen() {
    ledger_.reset();
    auto ledger = Ledger::open(path_);
    ASSERT_TRUE(ledger.has_value()) << ledger.error().message;
    ledger_.emplace(std::move(*ledger));
  }
  Ledger& ledger() { return *ledger_; }

  template <class T>
  static T Ok(Result<T> result) {
    EXPECT_TRUE(result.has_value()) << result.error().message;
    return std::move(result).value_or(T{});
  }
  static void Ok(const Result<>& result) {
    EXPECT_TRUE(result.has_value()) << result.error().message;
  }
  template <class T>
  static std::string FaultOf(const Result<T>& result) {
    EXPECT_FALSE(result.has_value());
    if (result) return "(no error)";
    EXPECT_EQ(result.error().kind, ErrorKind::fault);
    return result.error().message;
  }

  static NewClaim ClaimOf(const std::string& claim, const std::string& name,
                          Origin origin = Origin::drop) {
    return {.claim = claim,
            .feed = "hrt",
            .name = name,
            .origin = origin,
            .path = "/spool/work/" + claim + "/" + name,
            .size = 100,
            .mtime_ns = 5,
            .store = "local",
            .host = "loader"};
  }
  void Claim(const std::string& claim, const std::string& name, Time now = kNow) {
    Ok(ledger().extracts().commit_claims({ClaimOf(claim, name)}, now));
  }
  static FormattedExtract Yield(const std::string& sha256 = kSha) {
    return {.size = 101,
            .mtime_ns = 6,
            .sha256 = sha256,
            .format = "spysocket",
            .time_used = "2012-03-09T23:59:59Z",
            .time_source = "name",
            .year_guessed = true,
            .counts = {.lines = 281, .rows = 251, .dropped = 29, .rejected = 1},
            .first_time = "2012-03-09T09:48:00",
            .last_time = "2012-03-09T09:52:00"};
  }
  static LineCounts Good() {
    return {.lines = 281,
            .rows = 251,
            .dropped = 29,
            .rejected = 3,
            .stored = 200,
            .already_there = 49,
            .differs = 4,
            .replaced = 5};
  }
  void Format(const std::string& claim, const std::string& sha256 = kSha) {
    Ok(ledger().extracts().formatted(claim, Yield(sha256), kNow));
  }
  void Finish(const std::string& claim, Time now = kNow) {
    Ok(ledger().extracts().finish_done(claim, Good(), "", now));
  }
  Extract Of(const std::string& claim) {
    const auto found = Ok(ledger().extracts().find_claim(claim));
    EXPECT_TRUE(found.has_value()) << claim;
    return found.value_or(Extract{});
  }
  std::vector<std::string> ClaimsOf(const Result<std::vector<Extract>>& extracts) {
    std::vector<std::string> out;
    for (const Extract& extract : Ok(extracts)) out.push_back(extract.claim);
    return out;
  }

  testing_support::Folder folder_;
  std::string path_ = folder_ / "state/ledger.db";
  std::optional<Ledger> ledger_;
};

}  // namespace caravel::watcher
