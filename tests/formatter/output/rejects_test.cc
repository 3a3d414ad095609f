#include "formatter/output/rejects.h"

#include <algorithm>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/support/temp_dir.h"

namespace caravel::formatter {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class RejectsTest : public testing::Test {
 protected:
  Rejects::Paths Paths() { return {dir_.path("lines"), dir_.path("reasons"), dir_.path("cut")}; }
  test::TempDir dir_;
};

TEST_F(RejectsTest, MakesNoFileForNothing) {
  Rejects rejects(Paths());
  ASSERT_TRUE(rejects.flush());
  EXPECT_THAT(dir_.list(), IsEmpty());
  EXPECT_FALSE(rejects.has_lines() || rejects.has_cut() || rejects.has_reasons());
}

TEST_F(RejectsTest, KeepsLinesAsTheyCameAndSaysWhy) {
  Rejects rejects(Paths());
  rejects.add(3, 120, "expected \"FOM:\" at byte 9", " bad line \r");
  rejects.add(7, 300, "empty line", "");
  ASSERT_TRUE(rejects.flush(true));
  EXPECT_EQ(dir_.read_file("lines"), " bad line \r\n\n");
  EXPECT_EQ(dir_.read_file("reasons"),
            "line,offset,reason\n3,120,\"expected \"\"FOM:\"\" at byte 9\"\n7,300,empty line\n");
  EXPECT_THAT(dir_.list(), ElementsAre("lines", "reasons"));
  EXPECT_TRUE(rejects.has_lines() && rejects.has_reasons() && !rejects.has_cut());
}

TEST_F(RejectsTest, KeepsACutLineApart) {
  Rejects rejects(Paths());
  rejects.add(1, 0, "bad", "a");
  rejects.add_cut(2, 2, "no line end (cut off?)", "half a li");
  ASSERT_TRUE(rejects.flush());
  EXPECT_EQ(dir_.read_file("lines"), "a\n");
  EXPECT_EQ(dir_.read_file("cut"), "half a li");
  EXPECT_EQ(dir_.read_file("reasons"), "line,offset,reason\n1,0,bad\n2,2,no line end (cut off?)\n");
  EXPECT_TRUE(rejects.has_cut());
}

TEST_F(RejectsTest, PutsPiecesWhereTheirEndSaysTheyBelong) {
  const std::string piece(300'000, 'x');
  Rejects rejects(Paths());
  rejects.add(1, 0, "bad", "a");
  rejects.add_piece(piece);
  rejects.add_piece(piece);
  rejects.end_pieces(2, 2, "longer", true);
  rejects.add(3, 600'003, "bad", "b");
  rejects.add_piece("y");
  rejects.add_piece("");
  rejects.end_pieces(4, 600'005, "longer", true);
  rejects.add_piece(piece);
  rejects.end_pieces(5, 600'007, "cut", false);
  ASSERT_TRUE(rejects.flush());
  EXPECT_TRUE(dir_.read_file("lines") == "a\n" + piece + piece + "\nb\ny\n");
  EXPECT_TRUE(dir_.read_file("cut") == piece);
  EXPECT_EQ(dir_.read_file("reasons"),
            "line,offset,reason\n1,0,bad\n2,2,longer\n3,600003,bad\n4,600005,longer\n"
            "5,600007,cut\n");
}

TEST_F(RejectsTest, LeavesNoCutFileWhenEveryLineHadAnEnd) {
  Rejects rejects(Paths());
  rejects.add_piece("xx");
  rejects.end_pieces(1, 0, "longer", true);
  ASSERT_TRUE(rejects.flush());
  EXPECT_THAT(dir_.list(), ElementsAre("lines", "reasons"));
  EXPECT_FALSE(rejects.has_cut());
}

TEST_F(RejectsTest, LeavesOutFilesWithoutAPath) {
  Rejects all({"", "", ""});
  all.add(1, 0, "bad", "a");
  all.add_piece("x");
  all.end_pieces(2, 2, "longer", true);
  all.add_cut(3, 4, "cut", "b");
  EXPECT_TRUE(all.flush(true));
  EXPECT_FALSE(all.has_lines() || all.has_cut() || all.has_reasons());
  EXPECT_THAT(dir_.list(), IsEmpty());
}

TEST_F(RejectsTest, NeedsNoCutFileToKeepOversizedLines) {
  const std::string piece(300'000, 'x');
  Rejects rejects({dir_.path("lines"), dir_.path("reasons"), ""});
  rejects.add_piece(piece);
  rejects.end_pieces(1, 0, "longer", true);
  rejects.add(2, 300'001, "bad", "b");
  rejects.add_piece(piece);
  rejects.add_piece(piece);
  rejects.end_pieces(3, 300'003, "cut", false);
  ASSERT_TRUE(rejects.flush());
  EXPECT_TRUE(dir_.read_file("lines") == piece + "\nb\n") << "what is cut off is not fed again";
  EXPECT_EQ(dir_.read_file("reasons"),
            "line,offset,reason\n1,0,longer\n2,300001,bad\n3,300003,cut\n");
}

TEST_F(RejectsTest, AppendingLeavesWhatAnEarlierRunHasKept) {
  const auto write_twice = [&](bool with_cut, bool terminated) {
    Rejects::Paths paths = Paths();
    if (!with_cut) paths.cut.clear();
    dir_.write_file("lines", "earlier\n");
    dir_.write_file("reasons", "line,offset,reason\n1,0,earlier\n");
    dir_.write_file("cut", "earlier half");
    Rejects rejects(paths, Rejects::Mode::append);
    rejects.add(1, 0, "bad", "a");
    rejects.add_piece("xx");
    rejects.end_pieces(2, 2, "longer", terminated);
    EXPECT_TRUE(rejects.flush());
    EXPECT_EQ(dir_.read_file("reasons"), "line,offset,reason\n1,0,earlier\n1,0,bad\n2,2,longer\n");
    return dir_.read_file("lines") + "|" + dir_.read_file("cut");
  };
  EXPECT_EQ(write_twice(true, true), "earlier\na\nxx\n|earlier half");
  EXPECT_EQ(write_twice(true, false), "earlier\na\n|earlier halfxx");
  EXPECT_EQ(write_twice(false, true), "earlier\na\nxx\n|earlier half");
  EXPECT_EQ(write_twice(false, false), "earlier\na\n|earlier half");
}

TEST_F(RejectsTest, ReportsAFileThatCannotBeMade) {
  Rejects rejects({dir_.path("nowhere/lines"), dir_.path("reasons"), ""});
  rejects.add(1, 0, "bad", "a");
  const auto flushed = rejects.flush();
  ASSERT_FALSE(flushed);
  EXPECT_THAT(flushed.error().message, testing::HasSubstr("nowhere/lines"));
}

/// What is kept of rejects, with at most `max_bytes` of them.
class RejectLimitsTest : public RejectsTest {
 protected:
  Rejects Limited(std::uint64_t max_bytes, Rejects::Mode mode = Rejects::Mode::fresh) {
    RejectLimits limits;
    limits.max_bytes = max_bytes;
    return Rejects(Paths(), mode, limits);
  }
};

TEST_F(RejectLimitsTest, WhatHasNoRoomIsKeptByItsPlace) {
  Rejects rejects = Limited(100);
  rejects.add(1, 0, "bad", "short");
  rejects.add(2, 6, "bad, too", std::string(60, 'x'));
  rejects.add(3, 67, "bad", "also short");
  rejects.add_cut(4, 78, "cut", std::string(70, 'y'));
  ASSERT_TRUE(rejects.flush());
  EXPECT_EQ(dir_.read_file("lines"), "short\nalso short\n");
  EXPECT_EQ(dir_.read_file("reasons"),
            "line,offset,reason\n1,0,bad\n2,6,\"bad, too; kept by its place: 60 bytes\"\n3,67,bad\n"
            "4,78,cut; kept by its place: 70 bytes\n");
  EXPECT_FALSE(rejects.has_cut());
  EXPECT_EQ(rejects.by_place(), 2U);
}

TEST_F(RejectLimitsTest, PiecesThatHaveNoRoomAreTakenOutAgain) {
  const std::string piece(300'000, 'x');
  for (const bool terminated : {true, false}) {
    SCOPED_TRACE(terminated);
    Rejects rejects = Limited(1'000'000);
    rejects.add_piece(piece);
    rejects.end_pieces(1, 0, "longer", true);
    for (int i = 0; i < 3; ++i) rejects.add_piece(piece);
    rejects.end_pieces(2, 300'001, "longer", true);
    rejects.add(3, 1'200'002, "bad", "b");
    for (int i = 0; i < 4; ++i) rejects.add_piece(piece);
    rejects.end_pieces(4, 1'200'004, "last", terminated);
    ASSERT_TRUE(rejects.flush());
    EXPECT_TRUE(dir_.read_file("lines") == piece + "\nb\n");
    EXPECT_EQ(dir_.read_file("reasons"),
              "line,offset,reason\n1,0,longer\n2,300001,longer; kept by its place: 900000 bytes\n"
              "3,1200002,bad\n4,1200004,last; kept by its place: 1200000 bytes\n");
    EXPECT_FALSE(dir_.exists("cut")) << "an empty file would say that a line was cut off";
    EXPECT_EQ(rejects.by_place(), 2U);
  }
}

TEST_F(RejectLimitsTest, TheRecordsHaveALimitToo) {
  Rejects rejects = Limited(100);
  constexpr std::uint64_t kCount = 200'000;
  for (std::uint64_t i = 0; i < kCount; ++i) rejects.add(i + 1, 2 * i, "bad", "x");
  ASSERT_TRUE(rejects.flush());
  const std::string reasons = dir_.read_file("reasons");
  EXPECT_LT(reasons.size(), (std::size_t{4} << 20) + 1000);
  const std::size_t last = reasons.rfind('\n', reasons.size() - 2) + 1;
  // Every reject has its record, or is one of those that the last record stands for.
  const auto records = static_cast<std::uint64_t>(std::ranges::count(reasons, '\n')) - 2;
  EXPECT_EQ(reasons.substr(last),
            fmt::format("{},{},{} rejects from here on are not told apart (max_reject_bytes); kept "
                        "by their place: they are among {} bytes\n",
                        records + 1, 2 * records, kCount - records, 2 * (kCount - records) - 1));
}

TEST_F(RejectLimitsTest, WhatAnEarlierRunHasKeptCounts) {
  dir_.write_file("lines", std::string(50, 'x') + "\n");
  dir_.write_file("reasons", "line,offset,reason\n1,0,earlier\n");
  Rejects rejects = Limited(100, Rejects::Mode::append);
  rejects.add(2, 51, "bad", "0123456789");
  ASSERT_TRUE(rejects.flush());
  EXPECT_EQ(dir_.read_file("reasons"),
            "line,offset,reason\n1,0,earlier\n2,51,bad; kept by its place: 10 bytes\n");
  EXPECT_FALSE(rejects.has_lines());
}

TEST_F(RejectLimitsTest, WithoutAnOriginalThereIsNoPlaceToNameInsteadOfTheLine) {
  RejectLimits limits;
  limits.max_bytes = 100;
  limits.has_original = false;
  Rejects rejects(Paths(), Rejects::Mode::fresh, limits);
  rejects.add(1, 0, "bad", std::string(90, 'x'));
  EXPECT_FALSE(rejects.status()) << "at once: nobody reads on for nothing";
  const auto flushed = rejects.flush();
  ASSERT_FALSE(flushed);
  EXPECT_EQ(flushed.error().kind, ErrorKind::content);
  EXPECT_THAT(flushed.error().message, testing::HasSubstr("max_reject_bytes"));
}

TEST_F(RejectsTest, FollowsNoSymlink) {
  dir_.write_file("precious", "keep me");
  std::filesystem::create_symlink(dir_.path("precious"), dir_.path("lines"));
  Rejects rejects(Paths());
  rejects.add(1, 0, "bad", "a");
  EXPECT_FALSE(rejects.flush());
  EXPECT_EQ(dir_.read_file("precious"), "keep me");
}

}  // namespace
}  // namespace caravel::formatter
