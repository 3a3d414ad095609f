#include "watcher/spool/claim.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <memory>
#include <set>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/temp_dir.h"
#include "watcher/files/completeness.h"
#include "watcher/files/directory.h"
#include "watcher/spool/claim_batch.h"

namespace caravel::watcher {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr auto kNow = std::chrono::sys_days(std::chrono::year(2026) / 11 / 22) + 10h + 15min;

TEST(ClaimId, HasItsTimeAndIsNeverTheSameTwice) {
  EXPECT_THAT(make_claim_id(kNow), ::testing::StartsWith("20261122T101500Z-"));
  std::set<std::string> ids;
  for (int i = 0; i < 1000; ++i) ids.insert(make_claim_id(kNow));
  EXPECT_EQ(ids.size(), 1000U);
  for (const auto& id : ids) EXPECT_TRUE(is_claim_id(id)) << id;
  EXPECT_LT(make_claim_id(kNow), make_claim_id(kNow + 1s));
  EXPECT_LT(make_claim_id(kNow), make_claim_id(kNow + 1us));
  EXPECT_LT(make_claim_id(kNow + 999'999us), make_claim_id(kNow + 1s));
}

TEST(ClaimId, OfAManifestNamesItsFeed) {
  const std::string id = make_claim_id(kNow, "hrt-2");
  EXPECT_TRUE(is_claim_id(id)) << id;
  EXPECT_EQ(feed_of_claim_id(id), "hrt-2");
  EXPECT_EQ(feed_of_claim_id(make_claim_id(kNow)), "");
  for (const std::string& made : {id, make_claim_id(kNow)}) {
    EXPECT_EQ(claim_id_at_end("a.log." + made), made);
    EXPECT_EQ(claim_id_at_end(made + ".a.log"), "");
    EXPECT_TRUE(time_of_claim_id(made));
  }
}

TEST(ClaimId, OtherNamesAreNone) {
  for (const std::string name : {"", "..", "20261122T101500Z", "20261122T101500Z-0123456789ag",
                                 "20261122T101500Z-0123456789AB", "20261122t101500Z-0123456789ab",
                                 "20261122T101500Z-0123456789ab/", "20261122T101500Z-0123456789ab.",
                                 "20261122T101500Z-0123456789ab.a/b", "failed"}) {
    EXPECT_FALSE(is_claim_id(name)) << name;
  }
}

class ClaimTest : public ::testing::Test {
 protected:
  ClaimTest() : spool_(Must(Spool::open(dir_.path("spool")))), drop_(Open("spool/drop")) {
    root_ = std::make_unique<ClaimRoot>(
        Must(claim_root_for(spool_, drop_.get(), dir_.path("spool/drop"))));
  }
  template <class T>
  static T Must(Result<T> result) {
    if (!result) throw std::runtime_error(result.error().message);
    return std::move(*result);
  }
  UniqueFd Open(const std::string& name) { return Must(open_directory(dir_.path(name))); }
  void Drop(const std::string& name, const std::string& content = "a line\n") {
    dir_.write_file("spool/drop/" + name, content);
  }
  Claim NewClaim(const std::string& name = "a.log") { return {make_claim_id(kNow), name}; }
  /// Drops and claims a file.
  Claim Claimed(const std::string& name = "a.log") {
    Drop(name);
    Claim made = NewClaim(name);
    EXPECT_EQ(claim(*root_, drop_.get(), made).value(), ClaimOutcome::claimed);
    return made;
  }
  std::string Place(const Claim& made) { return "spool/work/" + place_of(made); }
  ClaimLook Look(const Claim& made) { return Must(look_at(*root_, made)); }

  test::TempDir dir_;
  Spool spool_;
  UniqueFd drop_;
  std::unique_ptr<ClaimRoot> root_;
};

TEST_F(ClaimTest, AFileIsRenamedIntoItsOwnPrivateDirectory) {
  const Claim made = Claimed();
  EXPECT_THAT(dir_.list("spool/drop"), IsEmpty());
  EXPECT_EQ(dir_.read_file(Place(made)), "a line\n");
  EXPECT_EQ(dir_.mode("spool/work/" + made.id), 0700U);
  EXPECT_TRUE(sync_claim(*root_, made));
  EXPECT_TRUE(sync_all_claims(*root_));
  EXPECT_THAT(Must(list_claims(*root_)), ElementsAre(made));
}

TEST_F(ClaimTest, ClaimsOfABatchShareADirectoryAndAreListedWithTheirIds) {
  for (const std::string& batch : {make_claim_id(kNow, "hrt"), make_claim_id(kNow)}) {
    SCOPED_TRACE(batch);
    std::vector<Claim> claims;
    for (const char* name : {"a.log", "b.log"}) {
      Drop(name);
      claims.push_back({claim_id_in_batch(batch, name), name});
      EXPECT_TRUE(is_claim_id(claims.back().id));
      EXPECT_EQ(feed_of_claim_id(claims.back().id), feed_of_claim_id(batch));
      EXPECT_EQ(time_of_claim_id(claims.back().id), time_of_claim_id(batch));
      EXPECT_EQ(Must(claim(*root_, drop_.get(), claims.back())), ClaimOutcome::claimed);
      EXPECT_EQ(dir_.read_file(Place(claims.back())), "a line\n");
    }
    const std::string own = claim_directory(claims[0].id);
    EXPECT_EQ(own, claim_directory(claims[1].id));
    EXPECT_FALSE(is_claim_id(own)) << "it is no claim itself";
    EXPECT_EQ(claim_directory(batch), batch);
    EXPECT_TRUE(sync_claim(*root_, claims[0]));
    EXPECT_THAT(Must(list_claims(*root_)), testing::UnorderedElementsAre(claims[0], claims[1]));

    EXPECT_TRUE(remove_claim_directory(*root_, claims[0].id)) << "another claim is in it";
    EXPECT_TRUE(dir_.exists(Place(claims[1])));
    for (const Claim& one : claims) std::filesystem::remove(dir_.path(Place(one)));
    EXPECT_TRUE(remove_claim_directory(*root_, claims[1].id));
    EXPECT_THAT(dir_.list("spool/work"), IsEmpty());
  }
}

TEST_F(ClaimTest, TheSameNameTwiceIsTwoClaims) {
  const Claim first = Claimed();
  const Claim second = Claimed();
  EXPECT_EQ(Must(list_claims(*root_)).size(), 2U);
  EXPECT_TRUE(dir_.exists(Place(first)));
  EXPECT_TRUE(dir_.exists(Place(second)));
}

TEST_F(ClaimTest, AFileThatVanishedIsNoErrorAndLeavesNothing) {
  EXPECT_EQ(claim(*root_, drop_.get(), NewClaim()).value(), ClaimOutcome::vanished);
  EXPECT_THAT(dir_.list("spool/work"), IsEmpty());
}

TEST_F(ClaimTest, NamesThatLeadElsewhereAreRefused) {
  dir_.write_file("spool/secret", "x");
  for (const std::string name : {"..", ".", "", "../secret", "a/b"}) {
    SCOPED_TRACE(name);
    EXPECT_FALSE(claim(*root_, drop_.get(), NewClaim(name)));
    EXPECT_FALSE(look_at(*root_, NewClaim(name)));
  }
  EXPECT_FALSE(claim(*root_, drop_.get(), {"../x", "a.log"}));
  EXPECT_TRUE(dir_.exists("spool/secret"));
  EXPECT_THAT(dir_.list("spool/work"), IsEmpty());
}

TEST_F(ClaimTest, OddNamesAreJustNames) {
  for (const std::string name : {"-rf", "a\nb", "*", "\xFF", "$(reboot)"}) {
    EXPECT_EQ(Look(Claimed(name)).state, ClaimState::regular);
  }
}

TEST_F(ClaimTest, AClaimOverwritesNothing) {
  const Claim made = Claimed();
  Drop("a.log", "another");
  EXPECT_FALSE(claim(*root_, drop_.get(), made)) << "the same id a second time";
  EXPECT_EQ(dir_.read_file(Place(made)), "a line\n");
  EXPECT_EQ(dir_.read_file("spool/drop/a.log"), "another");
}

TEST_F(ClaimTest, AWholeFileIsOpenForReading) {
  const ClaimLook look = Look(Claimed());
  EXPECT_EQ(look.state, ClaimState::regular);
  EXPECT_EQ(look.reason, "");
  EXPECT_EQ(look.stamp.size, 7U);
  EXPECT_EQ(writer_state(look.fd.get()), WriterState::none);
  EXPECT_TRUE(sync_content(look.fd.get()));
}

TEST_F(ClaimTest, ASenderWhoStillWritesIsSeenAfterTheClaim) {
  Drop("a.log");
  UniqueFd writer(::open(dir_.path("spool/drop/a.log").c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  const Claim made = NewClaim();
  ASSERT_TRUE(claim(*root_, drop_.get(), made));
  const ClaimLook look = Look(made);
  EXPECT_EQ(writer_state(look.fd.get()), WriterState::present);
  writer.reset();
  EXPECT_EQ(writer_state(look.fd.get()), WriterState::none);
}

TEST_F(ClaimTest, WhatIsNoRegularFileIsTakenButNeverOpened) {
  const auto in_drop = [&](const std::string& name) { return dir_.path("spool/drop/" + name); };
  dir_.write_file("secret", "x");
  ASSERT_EQ(::symlink(dir_.path("secret").c_str(), in_drop("symlink").c_str()), 0);
  ASSERT_EQ(::mkfifo(in_drop("fifo").c_str(), 0600), 0);
  dir_.make_dir("spool/drop/directory");
  dir_.write_file("spool/drop/directory/inside", "x");
  const std::pair<std::string, std::string> kCases[] = {
      {"symlink", "is a symbolic link"},
      {"fifo", "is no regular file"},
      {"directory", "is a directory"},
  };
  for (const auto& [name, reason] : kCases) {
    SCOPED_TRACE(name);
    const Claim made = NewClaim(name);
    ASSERT_EQ(claim(*root_, drop_.get(), made).value(), ClaimOutcome::claimed);
    const ClaimLook look = Look(made);
    EXPECT_EQ(look.state, ClaimState::not_regular);
    EXPECT_EQ(look.reason, reason);
    EXPECT_FALSE(look.fd);
  }
}

TEST_F(ClaimTest, AFileWithAnotherNameSomewhereWaitsForThatToGo) {
  Drop("a.log");
  ASSERT_EQ(::link(dir_.path("spool/drop/a.log").c_str(), dir_.path("other").c_str()), 0);
  const Claim made = NewClaim();
  ASSERT_TRUE(claim(*root_, drop_.get(), made));
  const ClaimLook look = Look(made);
  EXPECT_EQ(look.state, ClaimState::more_links);
  EXPECT_TRUE(look.fd) << "for the watch";
  ASSERT_EQ(::unlink(dir_.path("other").c_str()), 0);
  EXPECT_EQ(Look(made).state, ClaimState::regular);
}

TEST_F(ClaimTest, AWriteLeaseOfTheSenderDoesNotBlockUs) {
  Drop("a.log");
  const UniqueFd holder(::open(dir_.path("spool/drop/a.log").c_str(), O_RDWR | O_CLOEXEC));
  ASSERT_EQ(::fcntl(holder.get(), F_SETSIG, SIGURG), 0);
  ASSERT_EQ(::fcntl(holder.get(), F_SETLEASE, F_WRLCK), 0);
  const Claim made = NewClaim();
  ASSERT_TRUE(claim(*root_, drop_.get(), made));
  EXPECT_EQ(Look(made).state, ClaimState::held);
  ASSERT_EQ(::fcntl(holder.get(), F_SETLEASE, F_UNLCK), 0);
  EXPECT_EQ(Look(made).state, ClaimState::regular);
}

TEST_F(ClaimTest, AFileThatWeMayNotReadSaysSo) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root, to become someone else";
  const Claim made = Claimed();
  ASSERT_EQ(::chmod(dir_.path(Place(made)).c_str(), 0), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    // The spool's root is open already, and the file has no rights. Only the claim's own directory
    // must let the other user through.
    ::chmod(dir_.path("spool/work").c_str(), 0755);
    ::chmod(dir_.path("spool/work/" + made.id).c_str(), 0755);
    if (::setuid(65534) != 0) ::_exit(10);
    const auto look = look_at(*root_, made);
    ::_exit(look && look->state == ClaimState::unreadable && !look->reason.empty() ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST_F(ClaimTest, AClaimThatIsGoneIsGone) { EXPECT_EQ(Look(NewClaim()).state, ClaimState::gone); }

TEST_F(ClaimTest, AfterACrashBeforeTheRenameTheFileIsFoundAgain) {
  Drop("a.log");
  dir_.make_dir("spool/work/" + make_claim_id(kNow));
  EXPECT_THAT(Must(list_claims(*root_)), IsEmpty());
  EXPECT_THAT(dir_.list("spool/work"), IsEmpty());
  EXPECT_THAT(dir_.list("spool/drop"), ElementsAre("a.log"));
}

TEST_F(ClaimTest, AfterACrashAfterTheRenameTheClaimIsListed) {
  const Claim made = Claimed();  // sync_claim() is not called
  EXPECT_THAT(Must(list_claims(*root_)), ElementsAre(made));
}

TEST_F(ClaimTest, WhatHasNoClaimIdIsLeftAlone) {
  dir_.make_dir("spool/work/notes");
  dir_.write_file("spool/work/stray.log", "x");
  dir_.write_file("spool/work/" + make_claim_id(kNow), "a file");
  EXPECT_THAT(Must(list_claims(*root_)), IsEmpty());
  EXPECT_EQ(dir_.list("spool/work").size(), 3U);
}

// ---- a drop directory on another file system

class FarClaimTest : public ClaimTest {
 protected:
  void SetUp() override {
    if (!std::filesystem::is_directory("/dev/shm")) GTEST_SKIP() << "no second file system";
    far_ = std::make_unique<test::TempDir>("/dev/shm");
    far_drop_ = Must(open_directory(far_->path()));
    struct stat near_status;
    struct stat far_status;
    ASSERT_EQ(::fstat(drop_.get(), &near_status), 0);
    ASSERT_EQ(::fstat(far_drop_.get(), &far_status), 0);
    if (near_status.st_dev == far_status.st_dev) GTEST_SKIP() << "no second file system";
  }
  Result<ClaimRoot> FarRoot() { return claim_root_for(spool_, far_drop_.get(), far_->path()); }

  std::unique_ptr<test::TempDir> far_;
  UniqueFd far_drop_;
};

TEST_F(FarClaimTest, ClaimsStayThereInADirectoryOfOurs) {
  const auto root = FarRoot();
  ASSERT_TRUE(root);
  EXPECT_FALSE(root->in_spool);
  EXPECT_EQ(far_->mode(".caravel"), 0700U);
  EXPECT_TRUE(FarRoot()) << "our own of before is taken again";

  far_->write_file("a.log", "x");
  const Claim made = NewClaim();
  EXPECT_EQ(claim(*root, far_drop_.get(), made).value(), ClaimOutcome::claimed);
  EXPECT_TRUE(far_->exists(".caravel/" + made.id + "/a.log"));
}

TEST_F(FarClaimTest, ADirectoryThatASenderMadeIsAFault) {
  ASSERT_EQ(::mkdir(far_->path(".caravel").c_str(), 0700), 0);
  ASSERT_EQ(::chmod(far_->path(".caravel").c_str(), 0777), 0);
  auto root = FarRoot();
  ASSERT_FALSE(root);
  EXPECT_EQ(root.error().kind, ErrorKind::fault);
  EXPECT_THAT(root.error().message, HasSubstr("mode 0777"));
  if (::geteuid() != 0) return;
  ASSERT_EQ(::chmod(far_->path(".caravel").c_str(), 0700), 0);
  ASSERT_EQ(::chown(far_->path(".caravel").c_str(), 65534, 65534), 0);
  root = FarRoot();
  ASSERT_FALSE(root);
  EXPECT_THAT(root.error().message, HasSubstr("uid 65534"));
}

TEST_F(FarClaimTest, ASymlinkInItsPlaceIsAFault) {
  far_->make_dir("trap");
  ASSERT_EQ(::symlink("trap", far_->path(".caravel").c_str()), 0);
  const auto root = FarRoot();
  ASSERT_FALSE(root);
  EXPECT_EQ(root.error().kind, ErrorKind::fault);
}

TEST_F(FarClaimTest, AWrongRootIsAFaultAndTheFileStays) {
  far_->write_file("a.log", "x");
  const auto outcome = claim(*root_, far_drop_.get(), NewClaim());
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, ErrorKind::fault);
  EXPECT_TRUE(far_->exists("a.log"));
  EXPECT_THAT(dir_.list("spool/work"), IsEmpty());
}

}  // namespace
}  // namespace caravel::watcher
