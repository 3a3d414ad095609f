#include "formatter/output/rejects.h"

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
