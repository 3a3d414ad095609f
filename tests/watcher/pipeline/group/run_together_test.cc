// Small extracts that go through the pipeline together, and what becomes of them if that fails.
#include "watcher/pipeline/group/run_together.h"

#include <gmock/gmock.h>

#include "base/sqlite/sqlite.h"
#include "tests/support/spool_fixture.h"
#include "uploader/sqlite/store.h"
#include "watcher/ledger/extracts.h"

namespace caravel::watcher {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class RunTogetherTest : public SpoolTest {
 protected:
  RunTogetherTest() {
    Configure("feeds:\n  hrt: {format: spysocket, keep_csv: 0s, year: guess}\n");
    store_config_.name = "local";
    store_config_.path = dir_.path("rows.db");
    store_ = uploader::make_sqlite_store(store_config_);
  }
  /// Claims files of these contents, "a-2012-03-09.log" and so on, and makes them a group.
  void Claimed(const std::vector<std::string>& contents) {
    char letter = 'a';
    for (const std::string& content : contents) {
      Drop(std::string("drop/") + letter++ + "-2012-03-09.log", content);
    }
    Start();
    EXPECT_THAT(Ready(), SizeIs(contents.size()));
    for (const ReadyExtract& extract : in_work_) {
      EXPECT_TRUE(extract.is_new);
      EXPECT_GT(extract.bytes, 0U);
      jobs_.push_back(job_of_claim(extract.claim, *extract.root, false, extract.is_new));
    }
    std::ranges::sort(jobs_, {}, [](const ExtractJob& job) { return job.claim.name; });
  }
  /// How each ended: "done", or "-" for one without a result.
  std::vector<std::string> Run() {
    const Service service{config_, test::ShippedFormats(), *spool_, never_};
    std::vector<std::optional<PipelineResult>> results;
    run_together({service, config_.feeds.front(), *ledger_, *store_, {}, std::nullopt}, jobs_,
                 results);
    std::vector<std::string> endings;
    for (const auto& result : results) {
      endings.emplace_back(!result ? "-" : result->ending == Ending::done ? "done" : "not done");
      if (result) {
        EXPECT_EQ(result->left_in_work, "");
      }
    }
    return endings;
  }
  /// Takes one alone, as is done with those that have no result.
  Ending Alone(std::size_t index) {
    const Service service{config_, test::ShippedFormats(), *spool_, never_};
    ExtractJob job = jobs_[index];
    job.is_new = false;
    return run_pipeline({service, config_.feeds.front(), *ledger_, *store_, {}, milliseconds(0)},
                        job)
        .ending;
  }
  Extract Known(std::size_t index) {
    return *Must(ledger_->extracts().find_claim(jobs_[index].claim.id));
  }
  std::int64_t Ask(const std::string& sql) {
    auto file = Must(Sqlite::open(store_config_.path, Sqlite::Mode::read_write, 0));
    std::int64_t answer = -1;
    Must(file.each(sql, [&](const Statement& row) { answer = row.integer(0); }));
    return answer;
  }
  /// A store that has its file: only then can a group begin.
  void MakeFile() {
    auto file = Must(Sqlite::open(store_config_.path, Sqlite::Mode::create, 0));
    Must(file.script("PRAGMA journal_mode=WAL; CREATE TABLE theirs (a)"));
  }

  using milliseconds = std::chrono::milliseconds;
  uploader::SqliteConfig store_config_;
  std::unique_ptr<uploader::Store> store_;
  std::vector<ExtractJob> jobs_;
};

TEST_F(RunTogetherTest, AllAreStoredDoneAndArchived) {
  MakeFile();
  Claimed({GoodLine(1) + GoodLine(2), GoodLine(2) + GoodLine(3), GoodLine(4) + "\n"});
  EXPECT_THAT(Run(), ElementsAre("done", "done", "done"));
  EXPECT_EQ(Ask("SELECT count(*) FROM hrt"), 4);
  EXPECT_EQ(Ask("SELECT count(*) FROM _feeds"), 3);
  for (std::size_t i = 0; i < jobs_.size(); ++i) {
    const Extract known = Known(i);
    EXPECT_EQ(known.state, State::done);
    EXPECT_EQ(known.counts.lines, 2U);
    EXPECT_EQ(dir_.read_file(known.done_path.substr(dir_.path().size() + 1)).substr(0, 5), "09:48");
  }
  EXPECT_EQ(Known(0).counts.stored, 2U);
  EXPECT_EQ(Known(1).counts.already_there, 1U) << "a row that another of the group brought";
  EXPECT_EQ(Known(2).counts.dropped, 1U);
  for (const char* empty : {"spool/work", "spool/csv", "spool/rejects"}) {
    EXPECT_THAT(dir_.list(empty), IsEmpty()) << empty;
  }
  EXPECT_THAT(Must(ledger_->extracts().not_archived()), IsEmpty());
}

TEST_F(RunTogetherTest, WhoeverIsRefusedLeavesTheOthersAlone) {
  MakeFile();
  std::string rubbish;
  for (int i = 0; i < 30; ++i) rubbish += "rubbish\n";
  Claimed({GoodLine(1), rubbish, GoodLine(3)});
  EXPECT_THAT(Run(), ElementsAre("done", "-", "done"));
  EXPECT_EQ(Known(1).state, State::claimed);
  EXPECT_EQ(Ask("SELECT count(*) FROM hrt"), 2);
  EXPECT_EQ(Alone(1), Ending::failed);
  EXPECT_EQ(Known(1).counts.failed, 30U);
  EXPECT_TRUE(dir_.exists("spool/failed/b-2012-03-09.log"));
  EXPECT_THAT(dir_.list("spool/rejects"), IsEmpty());
}

TEST_F(RunTogetherTest, AStoreThatCannotCommitHasStoredNothing) {
  MakeFile();
  Claimed({GoodLine(1), GoodLine(2)});
  // Whoever reads the file's rows keeps no writer away; whoever writes does.
  auto other = Must(Sqlite::open(store_config_.path, Sqlite::Mode::read_write, 0));
  // The last of the group finds that its table may take no more rows.
  Must(
      other.script("CREATE TABLE _feeds (_id TEXT PRIMARY KEY NOT NULL, doc_type TEXT, status "
                   "TEXT, timestamp TEXT, name TEXT, host TEXT, feed TEXT, format TEXT, lines "
                   "INTEGER, rows INTEGER, dropped INTEGER, rejected INTEGER, sha256 TEXT, "
                   "year_guessed INTEGER);"
                   "CREATE TRIGGER no BEFORE INSERT ON _feeds BEGIN "
                   "SELECT RAISE(ROLLBACK, 'no') WHERE new.name LIKE 'b%'; END"));
  EXPECT_THAT(Run(), ElementsAre("-", "-"));
  EXPECT_EQ(Ask("SELECT count(*) FROM _feeds"), 0);
  EXPECT_EQ(Ask("SELECT count(*) FROM sqlite_schema WHERE name = 'hrt'"), 0);
  for (std::size_t i = 0; i < 2; ++i) EXPECT_EQ(Known(i).state, State::formatted);

  Must(other.script("DROP TRIGGER no"));
  EXPECT_EQ(Alone(0), Ending::done);
  EXPECT_EQ(Alone(1), Ending::done);
  EXPECT_EQ(Known(1).counts.stored, 1U);
  EXPECT_EQ(Ask("SELECT count(*) FROM hrt"), 2);
}

TEST_F(RunTogetherTest, WithoutAFileNoGroupBegins) {
  Claimed({GoodLine(1), GoodLine(2)});
  EXPECT_THAT(Run(), ElementsAre("-", "-"));
  EXPECT_FALSE(dir_.exists("rows.db"));
  EXPECT_EQ(Alone(0), Ending::done);
  EXPECT_EQ(Alone(1), Ending::done);
  EXPECT_EQ(Ask("SELECT count(*) FROM hrt"), 2);
}

}  // namespace
}  // namespace caravel::watcher
