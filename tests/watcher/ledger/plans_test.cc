// How SQLite answers what is asked while a history is long: what a start and a look cost must not
// grow with it.
#include <sqlite3.h>

#include <gmock/gmock.h>

#include "tests/support/ledger_fixture.h"
#include "watcher/ledger/history.h"
#include "watcher/ledger/upkeep/folding.h"

namespace caravel::watcher {
namespace {

using testing::HasSubstr;
using testing::Not;

/// Each statement that any connection runs, with its values.
std::vector<std::string>& Statements() {
  static std::vector<std::string> statements;
  return statements;
}

int Note(unsigned /*event*/, void* /*context*/, void* statement, void* /*text*/) {
  char* const sql = sqlite3_expanded_sql(static_cast<sqlite3_stmt*>(statement));
  Statements().emplace_back(sql != nullptr ? sql : "");
  sqlite3_free(sql);
  return 0;
}

int TraceConnection(sqlite3* database, const char** /*error*/, const void* /*api*/) {
  return sqlite3_trace_v2(database, SQLITE_TRACE_STMT, Note, nullptr);
}

class PlansTest : public LedgerTest {
 protected:
  PlansTest() {
    Statements().clear();
    sqlite3_auto_extension(reinterpret_cast<void (*)()>(TraceConnection));
    Reopen();
  }
  ~PlansTest() override {
    sqlite3_cancel_auto_extension(reinterpret_cast<void (*)()>(TraceConnection));
  }

  /// The plan of the last statement that was run, in SQLite's words.
  std::string LastPlan() {
    const std::string asked = Statements().empty() ? "" : Statements().back();
    sqlite3* database = nullptr;
    EXPECT_EQ(sqlite3_open(path_.c_str(), &database), SQLITE_OK);
    std::string plan;
    sqlite3_stmt* statement = nullptr;
    EXPECT_EQ(sqlite3_prepare_v2(database, ("EXPLAIN QUERY PLAN " + asked).c_str(), -1, &statement,
                                 nullptr),
              SQLITE_OK)
        << asked;
    while (sqlite3_step(statement) == SQLITE_ROW) {
      plan += reinterpret_cast<const char*>(sqlite3_column_text(statement, 3)) + std::string("\n");
    }
    sqlite3_finalize(statement);
    sqlite3_close(database);
    return plan;
  }
};

TEST_F(PlansTest, WhatAStartAsksIsAnsweredByTheFewRowsThatMatter) {
  for (const Origin origin : {Origin::drop, Origin::capture}) {
    Ok(ledger().extracts().unfinished(origin));
    EXPECT_THAT(LastPlan(), HasSubstr("extracts_open"));
    Ok(ledger().extracts().not_archived(origin));
    EXPECT_THAT(LastPlan(), HasSubstr("extracts_to_archive"));
    Ok(ledger().extracts().done_since(kNow, origin, nullptr, 10));
    EXPECT_THAT(LastPlan(), HasSubstr("SEARCH extracts USING INDEX extracts_done_at (done_at>?)"));
    EXPECT_THAT(LastPlan(), Not(HasSubstr("ORDER BY")));
  }
}

TEST_F(PlansTest, WhatEachExtractAsksIsAnsweredByItsOwnRows) {
  Ok(ledger().extracts().was_done(std::string(64, 'a'), "hrt", "couch"));
  EXPECT_THAT(LastPlan(), HasSubstr("SEARCH extracts USING INDEX extracts_sha256 (sha256=?)"));
  Ok(ledger().extracts().find_claim("c"));
  EXPECT_THAT(LastPlan(), HasSubstr("(claim=?)"));
}

TEST_F(PlansTest, WhatALookAsksIsNotSortedAndNotLookedThrough) {
  Ok(ledger().history().is_empty());
  EXPECT_THAT(Statements().back(), HasSubstr("EXISTS"));
  Ok(ledger().history().throughput_since(kNow));
  EXPECT_THAT(LastPlan(), HasSubstr("USING INDEX extracts_done_at (done_at>?)"));
  Ok(ledger().history().last_claim("hrt"));
  EXPECT_THAT(LastPlan(), HasSubstr("extracts_by_feed (feed=? AND state=?)"));
  EXPECT_THAT(LastPlan(), Not(HasSubstr("ORDER BY")));
  Ok(ledger().history().open_failures(3));
  EXPECT_THAT(LastPlan(), HasSubstr("SCAN extracts USING INDEX extracts_failed_open"));
  EXPECT_THAT(LastPlan(), Not(HasSubstr("ORDER BY")));
  Ok(ledger().history().newest_in(State::done, 3));
  EXPECT_THAT(LastPlan(), HasSubstr("extracts_by_state (state=?)"));
  EXPECT_THAT(LastPlan(), Not(HasSubstr("ORDER BY")));
}

TEST_F(PlansTest, WhatRetentionAsksBeginsWhereItEndedBefore) {
  Folding folding(ledger());
  const auto gone = [](const Extract&) { return true; };
  Statements().clear();
  Ok(folding.step({kNow, kNow}, gone));
  std::string fold;
  std::string forget;
  std::string manifests;
  const std::vector<std::string> asked = Statements();
  for (const std::string& statement : asked) {
    Statements().push_back(statement);
    if (statement.find("INDEXED BY extracts_done_at") != std::string::npos) fold = LastPlan();
    if (statement.find("SELECT id FROM remembered") == 0) forget = LastPlan();
    if (statement.find("DELETE FROM manifests") == 0) manifests = LastPlan();
  }
  EXPECT_THAT(fold, HasSubstr("SEARCH extracts USING INDEX extracts_done_at (done_at>? AND"));
  EXPECT_THAT(fold, Not(HasSubstr("ORDER BY")));
  EXPECT_THAT(forget, HasSubstr("remembered_done_at (done_at<?)"));
  EXPECT_THAT(manifests, HasSubstr("manifests_came_at (came_at<?)"));
  Ok(ledger().history().settled_failures(7, 3));
  EXPECT_THAT(LastPlan(), HasSubstr("extracts_by_state (state=? AND id>?)"));
  Ok(ledger().history().last_claim("hrt"));
  EXPECT_THAT(LastPlan(), HasSubstr("extracts_by_feed (feed=? AND state=?)"));
}

}  // namespace
}  // namespace caravel::watcher
