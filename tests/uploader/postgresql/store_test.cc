// What PostgreSQL's store does with a real server beyond what every store does.
#include <gmock/gmock.h>

#include <thread>
#include <utility>

#include "tests/support/postgres_fixture.h"
#include "uploader/postgresql/wire/connection.h"

namespace caravel::testing {
namespace {

using formatter::ColumnType;
using ::testing::HasSubstr;
using ::testing::Not;
using uploader::UploadOptions;

class PostgresStoreTest : public PostgresTest {};

TEST_F(PostgresStoreTest, ColumnsHaveTypesAndNumbersKeepEveryDigit) {
  TestExtract extract = extract_of(0);
  extract.columns = {{"Word", ColumnType::text},
                     {"Number", ColumnType::number},
                     {"Auto", ColumnType::automatic},
                     {"Json", ColumnType::json}};
  extract.rows.push_back(
      {"20120309T094800.1234567:V:1",
       "007,12345678901234567890.12345678901234567890,1.50,\"{\"\"a\"\":[1,{\"\"b\"\":2.500}]}\"",
       0});
  Send(extract);
  const auto type = [&](const char* column) {
    return Sql(
        fmt::format("SELECT format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = "
                    "'@hrt'::regclass AND attname = '{}'",
                    column));
  };
  EXPECT_EQ(type("Word"), "text");
  EXPECT_EQ(type("Number"), "numeric");
  EXPECT_EQ(type("Auto"), "jsonb");
  EXPECT_EQ(type("Json"), "jsonb");
  EXPECT_EQ(type("_time"), "timestamp without time zone");
  EXPECT_EQ(Sql("SELECT \"Number\" FROM @hrt"), "12345678901234567890.12345678901234567890");
  EXPECT_EQ(Sql("SELECT \"Auto\" FROM @hrt"), "1.50");
  EXPECT_EQ(Sql("SELECT \"Json\"->'a'->1->'b' FROM @hrt"), "2.500");
  EXPECT_EQ(Sql("SELECT _time FROM @hrt"), "2012-03-09 09:48:00.123456");
}

/// The binary form is ours: the server must read the same number as from the text.
TEST_F(PostgresStoreTest, EveryWayToWriteANumberIsReadAsTheServerReadsIt) {
  const std::vector<std::string> numbers = {"0",
                                            "0.0",
                                            "0.000",
                                            "1",
                                            "-1",
                                            "9999",
                                            "10000",
                                            "10001",
                                            "99990000",
                                            "0.1",
                                            "0.0001",
                                            "0.00001",
                                            "0.00010",
                                            "-0.5",
                                            "36.7500",
                                            "1e5",
                                            "1E-5",
                                            "1.5e3",
                                            "1.25e-7",
                                            "123456.7",
                                            "1e0",
                                            "12e-1",
                                            "100e-2",
                                            "0e3",
                                            "3.",
                                            ".5",
                                            "+7",
                                            "1e100",
                                            "12345678901234567890123456789.000100"};
  TestExtract extract = extract_of(0);
  extract.columns = {{"Text", ColumnType::text}, {"Number", ColumnType::number}};
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    extract.rows.push_back(
        {fmt::format("20120309T094800:V:{:03}", i), fmt::format("{0},{0}", numbers[i]), 0});
  }
  EXPECT_EQ(Send(extract)->refused().size(), 0U);
  EXPECT_EQ(Sql("SELECT string_agg(\"Text\", ' ') FROM @hrt WHERE \"Number\"::text <> "
                "\"Text\"::numeric::text"),
            "");
}

TEST_F(PostgresStoreTest, TimesAreInstantsWhereAZoneIsKnown) {
  TestExtract extract = extract_of(0);
  extract.rows = {{"20120309T094800Z:V:1", "a,1", 0}, {"20120309T235960Z:V:2", "a,1", 0}};
  Send(extract);
  EXPECT_EQ(Sql("SET timezone = 'UTC'; SELECT min(_time) FROM @hrt"), "2012-03-09 09:48:00+00");
  EXPECT_EQ(Sql("SET timezone = 'UTC'; SELECT max(_time) FROM @hrt"), "2012-03-10 00:00:00+00");
  EXPECT_THAT(store_->find("hrt:20120309T094800Z:V:1").value()->text,
              HasSubstr("\"_time\":\"2012-03-09T09:48:00Z\""));
  // Nobody knows which instant a time without a zone would be.
  TestExtract local = extract_of(1, 'b');
  Send(local);
  EXPECT_EQ(Sql("SELECT count(*) FROM @hrt WHERE _time IS NULL"), "1");
}

TEST_F(PostgresStoreTest, ARowThatTheServerRefusesIsARejectAlone) {
  Send(extract_of(1));
  Sql("ALTER TABLE @hrt ADD CONSTRAINT small CHECK (\"Lat\" < 1000)");
  TestExtract extract = extract_of(400, 'b', 1);
  config_.batch_rows = 1000;
  Open();
  extract.rows[7].record = "2012-03-09,1000";
  extract.rows[8].record = "2012-03-09,not a number";
  extract.rows[399].record = "2012-03-09,5000";
  const auto upload = Send(extract);
  EXPECT_EQ(upload->counts().stored, 397U);
  ASSERT_EQ(upload->refused().size(), 3U);
  EXPECT_EQ(upload->refused()[0].line, 8U);
  EXPECT_THAT(upload->refused()[0].reason, HasSubstr("small"));
  EXPECT_THAT(upload->refused()[0].reason, Not(HasSubstr("Failing row")));
  EXPECT_EQ(upload->refused()[1].line, 9U);
  EXPECT_THAT(upload->refused()[1].reason, HasSubstr("'not a number' is no number"));
  EXPECT_EQ(upload->refused()[2].line, 400U);
  EXPECT_EQ(Sql("SELECT count(*) FROM @hrt"), "398");
  EXPECT_EQ(Sql("SELECT rejected FROM @_feeds WHERE _id LIKE '%bb'"), "3");
}

TEST_F(PostgresStoreTest, ValuesThatTheTableCannotHoldAreRejectsAlone) {
  Sql("CREATE SCHEMA " + config_.schema);
  Sql("CREATE TABLE @hrt (_id text PRIMARY KEY, _kind text, _time timestamp, _extract text, _line "
      "integer, _sum text, \"Small\" smallint, \"Short\" varchar(3), \"Fixed\" char(4), \"Json\" "
      "jsonb, \"Kind\" varchar(10) UNIQUE)");
  TestExtract extract = extract_of(0);
  extract.columns = {{"Small", ColumnType::number},
                     {"Short", ColumnType::text},
                     {"Fixed", ColumnType::text},
                     {"Json", ColumnType::json},
                     {"Kind", ColumnType::text}};
  const std::vector<std::string> records = {"1,abc,abcd,1,a",
                                            "99999,abc,abcd,1,b",
                                            "1,abcd,abcd,1,c",
                                            "1,abc,abcde,1,d",
                                            "1,abc,abcd,\"{\"\"a\"\":\"\"\\u0000\"\"}\",e",
                                            std::string("1,a\0b,abcd,1,f", 14),
                                            "1,abc,abcd,1,a",  // another row has that Kind
                                            "-5,,x,\"{\"\"a\"\":\"\"\\\\u0000\"\"}\",h"};
  for (std::size_t i = 0; i < records.size(); ++i) {
    extract.rows.push_back({fmt::format("20120309T094800:V:{}", i), records[i], 0});
  }
  const auto upload = Send(extract);
  std::vector<std::uint64_t> lines;
  for (const auto& row : upload->refused()) lines.push_back(row.line);
  EXPECT_EQ(lines, (std::vector<std::uint64_t>{2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(upload->counts().stored, 2U);
  EXPECT_EQ(Sql("SELECT string_agg(\"Kind\", '' ORDER BY _id) FROM @hrt"), "ah");
}

/// At the COMMIT nobody could say which row was meant.
TEST_F(PostgresStoreTest, ConstraintsThatWaitForTheCommitRefuseARowAloneToo) {
  Send(extract_of(1));
  Sql("CREATE TABLE @days (day text PRIMARY KEY); INSERT INTO @days VALUES ('2012-03-09'); ALTER "
      "TABLE "
      "@hrt ADD FOREIGN KEY (\"Date\") REFERENCES @days DEFERRABLE INITIALLY DEFERRED");
  TestExtract extract = extract_of(40, 'b', 1);
  extract.rows[5].record = "2012-03-10,1";
  EXPECT_EQ(Send(extract)->refused().size(), 1U);
  Sql("ALTER TABLE @hrt ADD UNIQUE (_sum) DEFERRABLE INITIALLY DEFERRED");
  TestExtract other = extract_of(40, 'c', 30);
  other.rows[39].record = "2012-03-09,36.3";
  const auto upload = Send(other);
  EXPECT_EQ(upload->counts().stored, 28U);
  EXPECT_EQ(upload->counts().already_there, 11U);
  ASSERT_EQ(upload->refused().size(), 1U);
  EXPECT_EQ(upload->refused()[0].line, 40U);
}

TEST_F(PostgresStoreTest, AStoreThatRefusesEveryRowIsAtFaultAndKeepsNothing) {
  Send(extract_of(1));
  Sql("ALTER TABLE @hrt ADD CONSTRAINT never CHECK (_line < 1) NOT VALID");
  auto upload = Start(extract_of(50, 'b', 1));
  const Error error = Fails(*upload);
  EXPECT_EQ(error.kind, ErrorKind::refused);
  EXPECT_THAT(error.message, HasSubstr("refuses every row"));
  EXPECT_EQ(Sql("SELECT count(*) FROM @_feeds"), "1");
  Sql("ALTER TABLE @hrt DROP CONSTRAINT never");
  ASSERT_TRUE(upload->run(never_));
  EXPECT_EQ(upload->counts().stored, 50U);
  EXPECT_TRUE(upload->refused().empty());
}

TEST_F(PostgresStoreTest, MoreRefusalsThanAllowedSpeakAgainstTheStore) {
  Send(extract_of(1));
  Sql("ALTER TABLE @hrt ADD CONSTRAINT even CHECK (_line % 2 = 0) NOT VALID");
  UploadOptions options;
  options.max_refused = 5;
  auto upload = Start(extract_of(50, 'b', 1), options);
  EXPECT_EQ(Fails(*upload).kind, ErrorKind::refused);
  EXPECT_EQ(Sql("SELECT count(*) FROM @hrt"), "1");
}

/// Each of these says with its SQLSTATE what stands in the way; a trigger says it for the server.
TEST_F(PostgresStoreTest, OutagesAreWaitedFor) {
  Send(extract_of(1));
  const struct {
    const char* state;
    ErrorKind kind;
  } cases[] = {
      {"40P01", ErrorKind::retry},  // deadlock_detected
      {"40001", ErrorKind::retry},  // serialization_failure
      {"53100", ErrorKind::retry},  // disk_full
      {"53200", ErrorKind::retry},  // out_of_memory
      {"53300", ErrorKind::retry},  // too_many_connections
      {"57P01", ErrorKind::retry},  // admin_shutdown
      {"57014", ErrorKind::retry},  // query_canceled
      {"25006", ErrorKind::retry},  // read_only_sql_transaction
      {"58030", ErrorKind::retry},  // io_error
      {"55P03", ErrorKind::retry},  // lock_not_available
      {"42501", ErrorKind::fault},  // insufficient_privilege
      {"42883", ErrorKind::fault},  // undefined_function
  };
  for (const auto& test : cases) {
    SCOPED_TRACE(test.state);
    Sql(
        fmt::format("CREATE OR REPLACE FUNCTION @fails() RETURNS trigger LANGUAGE plpgsql AS $$ "
                    "BEGIN RAISE EXCEPTION E'it\\u001b[31m fails' USING ERRCODE = '{}'; END $$; "
                    "DROP TRIGGER IF EXISTS fails ON @hrt; CREATE TRIGGER fails BEFORE INSERT ON "
                    "@hrt FOR EACH ROW EXECUTE FUNCTION @fails()",
                    test.state));
    auto upload = Start(extract_of(25, 'b', 1));
    const Error error = Fails(*upload);
    EXPECT_EQ(error.kind, test.kind) << error.message;
    EXPECT_THAT(error.message, HasSubstr("\\x1B[31m fails"));
    EXPECT_EQ(upload->counts().stored, 0U);
    EXPECT_FALSE(upload->must_restart());
    Sql("DROP TRIGGER fails ON @hrt");
    ASSERT_TRUE(upload->run(never_));
    EXPECT_EQ(upload->counts().stored, 25U);
    Sql("DELETE FROM @hrt WHERE _extract LIKE 'bb%'");
  }
}

TEST_F(PostgresStoreTest, ASessionThatTheServerEndsIsBegunAnew) {
  const TestExtract extract = extract_of(450);
  auto upload = Start(extract);
  bool ended = false;
  upload->on_progress = [&](std::uint64_t) {
    if (std::exchange(ended, true)) return;
    Sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = "
        "'caravel'");
  };
  const Error error = Fails(*upload);
  EXPECT_EQ(error.kind, ErrorKind::retry);
  EXPECT_EQ(upload->counts().stored, 200U);
  ASSERT_TRUE(upload->run(never_));
  EXPECT_EQ(upload->counts().stored, 450U);
  EXPECT_EQ(Sql("SELECT count(*) FROM @hrt"), "450");
  // Between two extracts nobody hears of it.
  Sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'caravel'");
  EXPECT_EQ(Send(extract_of(5, 'b', 450))->counts().stored, 5U);
}

TEST_F(PostgresStoreTest, CommitsThatAStandbyLacksAreStoredAgain) {
  auto upload = Start(extract_of(250));
  bool ended = false;
  upload->on_progress = [&](std::uint64_t) {
    if (std::exchange(ended, true)) return;
    Sql("DELETE FROM @hrt; SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
        "application_name = 'caravel'");
  };
  EXPECT_EQ(Fails(*upload).kind, ErrorKind::retry);
  EXPECT_THAT(Fails(*upload).message, HasSubstr("did another server take over?"));
  EXPECT_TRUE(upload->must_restart());
  EXPECT_EQ(Send(extract_of(250))->counts().stored, 250U);
}

TEST_F(PostgresStoreTest, ATableThatIsMadeAnewMeanwhileDemandsARestart) {
  auto upload = Start(extract_of(250));
  bool done = false;
  upload->on_progress = [&](std::uint64_t) {
    if (std::exchange(done, true)) return;
    Sql("ALTER TABLE @hrt RENAME TO other; CREATE TABLE @hrt (LIKE @other INCLUDING ALL)");
  };
  EXPECT_EQ(Fails(*upload).kind, ErrorKind::retry);
  EXPECT_EQ(Fails(*upload).kind, ErrorKind::fault);
  EXPECT_TRUE(upload->must_restart());
}

TEST_F(PostgresStoreTest, PartitionedTablesWork) {
  Sql("CREATE SCHEMA " + config_.schema);
  const std::string columns =
      "(_id text COLLATE \"C\" NOT NULL, _kind text, _time timestamp NOT NULL, _extract text, "
      "_line "
      "bigint, _sum text, PRIMARY KEY (_id, _time)) PARTITION BY RANGE (_time)";
  Sql("CREATE TABLE @hrt " + columns +
      "; CREATE TABLE @early PARTITION OF @hrt FOR VALUES FROM (MINVALUE) TO ('2012-03-09 "
      "00:00:10');"
      "CREATE TABLE @late PARTITION OF @hrt FOR VALUES FROM ('2012-03-09 00:00:10') TO "
      "('2012-04-01')");
  TestExtract extract = extract_of(35);
  extract.rows.push_back({"20130309T000000:V.1:x", "2013-03-09,1", 0});  // no partition takes it
  for (int round = 0; round < 2; ++round) {
    const auto upload = Send(extract);
    EXPECT_EQ(upload->counts().stored, 35U);
    ASSERT_EQ(upload->refused().size(), 1U);
    EXPECT_THAT(upload->refused()[0].reason, HasSubstr("no partition"));
  }
  EXPECT_EQ(Sql("SELECT count(*) FROM @early"), "10");
  EXPECT_EQ(Sql("SELECT count(*) FROM @late"), "25");
  EXPECT_TRUE(store_->find(id_of(extract, 20)).value().has_value());
}

TEST_F(PostgresStoreTest, ATableWithoutAKeyOfItsIdsIsAFault) {
  Sql("CREATE SCHEMA " + config_.schema);
  Sql("CREATE TABLE @hrt (_id text, _kind text, _time timestamp, _extract text, _line bigint, _sum "
      "text); CREATE UNIQUE INDEX ON @hrt (_id) WHERE _line > 1; CREATE UNIQUE INDEX ON @hrt (_id, "
      "_time)");
  const Error error = Fails(*Start(extract_of(1)));
  EXPECT_EQ(error.kind, ErrorKind::fault);
  EXPECT_THAT(error.message, HasSubstr("ADD PRIMARY KEY (_id)"));
}

TEST_F(PostgresStoreTest, WithoutCreateNothingIsMade) {
  config_.create = false;
  Open();
  EXPECT_EQ(Fails(*Start(extract_of(1))).kind, ErrorKind::fault);
  Sql("CREATE SCHEMA " + config_.schema);
  Sql("CREATE TABLE @hrt (_id text PRIMARY KEY, _kind text, _time timestamp, _extract text, _line "
      "bigint, _sum text, \"Date\" date)");
  EXPECT_THAT(Fails(*Start(extract_of(1))).message, HasSubstr("ADD COLUMN \"Lat\" numeric"));
  Sql("ALTER TABLE @hrt ADD COLUMN \"Lat\" float8, ADD COLUMN mine text DEFAULT 'x'; CREATE TABLE "
      "@_feeds (_id text PRIMARY KEY, doc_type text, status text, timestamp timestamptz, name "
      "text, "
      "host text, feed text, format text, lines bigint, rows bigint, dropped bigint, rejected "
      "bigint,"
      " sha256 text, year_guessed boolean)");
  EXPECT_EQ(Send(extract_of(3))->counts().stored, 3U);
  EXPECT_EQ(Sql("SELECT \"Date\" + 1 || mine || \"Lat\" FROM @hrt ORDER BY _id LIMIT 1"),
            "2012-03-10x36.1");
}

TEST_F(PostgresStoreTest, ATableGainsTheColumnsThatItLacks) {
  Send(extract_of(2));
  TestExtract extract = extract_of(2, 'b', 2);
  extract.columns.push_back({"New", ColumnType::number});
  for (auto& row : extract.rows) row.record += ",5";
  Send(extract);
  EXPECT_EQ(Sql("SELECT count(\"New\") || '/' || count(*) FROM @hrt"), "2/4");
  extract.columns.clear();
  for (int i = 0; i < 1700; ++i)
    extract.columns.push_back({fmt::format("c{}", i), ColumnType::text});
  EXPECT_EQ(Fails(*Start(extract)).kind, ErrorKind::content);
}

TEST_F(PostgresStoreTest, NamesThatPostgresqlCutsOffStayDifferent) {
  TestExtract extract = extract_of(0);
  const std::string longest(61, 'x');
  extract.columns = {{longest + "\u00e9\u00e9", ColumnType::text},
                     {longest + "\u00e9z", ColumnType::text},
                     {"xmin", ColumnType::text}};
  extract.rows.push_back({"20120309T094800:V:1", "v1,v2,v3", 0});
  Send(extract);
  const std::string text = store_->find("hrt:20120309T094800:V:1").value()->text;
  EXPECT_THAT(text, HasSubstr("\"" + longest + "\u00e9\":\"v1\""));
  EXPECT_THAT(text, HasSubstr("_2\":\"v2\""));
  EXPECT_THAT(text, HasSubstr("\"xmin_\":\"v3\""));
}

TEST_F(PostgresStoreTest, TwoStoresAtOnceStoreEachRowOnce) {
  const auto other = uploader::make_postgresql_store(config_);
  auto first = Start(extract_of(300));
  // The other one comes in between two transactions of the first, with the same rows.
  bool done = false;
  first->on_progress = [&](std::uint64_t) {
    if (std::exchange(done, true)) return;
    auto second = other->start(info_of(), extract_of(300, 'b').reader(), {});
    ASSERT_TRUE(second->run(never_));
    EXPECT_EQ(second->counts().stored, 100U);
    EXPECT_EQ(second->counts().already_there, 200U);
  };
  ASSERT_TRUE(first->run(never_));
  EXPECT_EQ(first->counts().stored, 200U);
  EXPECT_EQ(first->counts().already_there, 100U);
  EXPECT_EQ(Sql("SELECT count(*) FROM @hrt"), "300");
}

TEST_F(PostgresStoreTest, LoadedBeforeMeansAlreadyThereButNotForNewRows) {
  const TestExtract extract = extract_of(30);
  Send(extract);
  Sql("DELETE FROM @hrt WHERE _line <= 10");
  UploadOptions options;
  options.loaded_before = true;
  const auto again = Send(extract, options);
  EXPECT_EQ(again->counts().stored, 10U);
  EXPECT_EQ(again->counts().already_there, 20U);
}

TEST_F(PostgresStoreTest, AStopEndsTheWaitForALock) {
  Send(extract_of(1));
  // Waits for the table's lock, as anybody would; the stop comes while it does.
  auto upload = Start(extract_of(200, 'b', 1));
  auto holder = uploader::Connection::open(uploader::options_for(config_.login).value(),
                                           std::chrono::seconds(60), never_);
  ASSERT_TRUE(holder);
  ASSERT_TRUE(holder->run(fmt::format("BEGIN; LOCK TABLE {}.hrt", config_.schema), never_));
  StopSignal stop;
  std::thread stopper([&] {
    while (Sql("SELECT count(*) FROM pg_locks WHERE NOT granted") == "0") std::this_thread::yield();
    stop.request();
  });
  const auto ran = upload->run(stop);
  stopper.join();
  ASSERT_FALSE(ran);
  EXPECT_EQ(ran.error().kind, ErrorKind::stopped);
  EXPECT_EQ(ran.error().message, "asked to stop");
}

TEST_F(PostgresStoreTest, CheckSaysVersionRightsAndTables) {
  EXPECT_THAT(*store_->check(), HasSubstr("PostgreSQL 15"));
  Send(extract_of(1));
  EXPECT_THAT(*store_->check(), HasSubstr("_feeds and the tables hrt are there"));
  const std::string role = "role_" + config_.schema;
  Sql("CREATE ROLE " + role + " LOGIN");
  config_.login.set("user", role);
  Open();
  EXPECT_THAT(store_->check().error().message, HasSubstr("GRANT USAGE ON SCHEMA"));
  EXPECT_EQ(store_->check().error().kind, ErrorKind::fault);
  Sql("GRANT USAGE ON SCHEMA " + config_.schema + " TO " + role);
  EXPECT_THAT(store_->check().error().message, HasSubstr("may not read and write table _feeds"));
  Sql("GRANT ALL ON ALL TABLES IN SCHEMA " + config_.schema + " TO " + role);
  EXPECT_TRUE(store_->check());
  EXPECT_EQ(Send(extract_of(3, 'b', 1))->counts().stored, 3U);
}

}  // namespace
}  // namespace caravel::testing
