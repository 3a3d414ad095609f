// Which names are rotated files of a log, and in which order they were written.
#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "watcher/tail/names/order.h"

namespace caravel::tail {
namespace {

using testing::ElementsAre;

TEST(RotatedName, IsTheLogsNameAndACountOrADate) {
  const struct {
    const char* name;
    const char* rotation;
  } cases[] = {{"app.log.1", "1"},
               {"app.log.12.gz", "12"},
               {"app.log-20240131", "20240131"},
               {"app-20240131.log", "20240131"},
               {"app-2024-01-31.log.zst", "2024-01-31"},
               {"app.log.2024-01-31T10:00:00Z", "2024-01-31T10:00:00Z"},
               {"app.1.log", "1"},
               {"app.log.old", "old"},
               {"app.log", nullptr},
               {"app.log.gz", nullptr},
               {"app.log.swp", nullptr},
               {"app.log.1.tmp", nullptr},
               {"app.log.", nullptr},
               {"app2.log", nullptr},
               {"app.login.1", nullptr},
               {"other.log.1", nullptr}};
  for (const auto& c : cases) {
    const auto rotation = rotation_of(c.name, "app.log");
    EXPECT_EQ(rotation.has_value(), c.rotation != nullptr) << c.name;
    if (rotation) {
      EXPECT_EQ(*rotation, c.rotation == nullptr ? "" : c.rotation);
    }
  }
}

TEST(RotatedOrder, GoesByNumberOrDateAndElseByTime) {
  const auto sorted = [](std::vector<std::pair<std::string, int>> files) {
    std::vector<Sibling> siblings;
    for (const auto& [rotation, time] : files) {
      Sibling sibling{rotation, rotation, {}};
      sibling.stamp.modified = time;
      siblings.push_back(sibling);
    }
    sort_siblings(siblings, Numbers::descend);
    std::vector<std::string> order;
    for (const Sibling& sibling : siblings) order.push_back(sibling.rotation);
    return order;
  };
  EXPECT_THAT(sorted({{"1", 5}, {"10", 9}, {"2", 7}}), ElementsAre("10", "2", "1"));
  EXPECT_THAT(sorted({{"20240201", 1}, {"20240131", 2}}), ElementsAre("20240131", "20240201"));
  EXPECT_THAT(sorted({{"old", 1}, {"20240131", 2}, {"1", 3}}), ElementsAre("old", "20240131", "1"));
  EXPECT_THAT(
      sorted({{"2024-01-31.10", 1},
              {"2024-02-01.0", 2},
              {"2024-01-31.9", 3},
              {"2024-01-31", 4},
              {"2024-01-31.010", 5}}),
      ElementsAre("2024-01-31", "2024-01-31.9", "2024-01-31.10", "2024-01-31.010", "2024-02-01.0"));
  EXPECT_THAT(sorted({{"202402", 1}, {"20240131", 2}}), ElementsAre("20240131", "202402"));
}

TEST(RotatedNumbers, AscendIfWhatWasReadOrTheRenamesSaySo) {
  struct File {
    const char* number;
    int renamed;
    int modified;
    int born;
  };
  const struct {
    const char* what;
    std::vector<File> files;
    const char* read;
    bool ascend;
  } cases[] = {
      {"logrotate renames all, the highest first", {{"1", 9, 8, 1}, {"2", 9, 5, 1}}, "", false},
      {"... whatever the clock was", {{"1", 9, 5, 1}, {"2", 9, 8, 1}}, "", false},
      {"each was renamed once", {{"1", 5, 5, 1}, {"2", 8, 8, 1}}, "", true},
      {"... and as text they would stand otherwise", {{"10", 8, 8, 1}, {"9", 5, 5, 1}}, "", true},
      {"chowned one after the other", {{"1", 8, 7, 1}, {"2", 9, 5, 1}}, "", false},
      {"the clock was set while they were written", {{"1", 8, 7, 8}, {"2", 9, 5, 9}}, "", true},
      {"all are above what was read", {{"3", 9, 8, 1}, {"4", 9, 5, 1}}, "2", true},
      {"all are below what was read", {{"1", 5, 5, 1}, {"2", 8, 8, 1}}, "3", false},
      {"one says nothing", {{"1", 5, 5, 1}}, "", false},
      {"no number", {{"1", 5, 5, 1}, {"old", 8, 8, 1}}, "", false},
  };
  const auto sibling = [](const File& file) {
    Sibling made{file.number, file.number, {}};
    made.stamp.changed = file.renamed;
    made.stamp.modified = file.modified;
    made.stamp.id.born = file.born;
    return made;
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    std::vector<Sibling> files;
    for (const File& file : c.files) files.push_back(sibling(file));
    const Sibling read = sibling({c.read, 0, 0, 0});
    EXPECT_EQ(numbers_of(files, *c.read != '\0' ? &read : nullptr, nullptr),
              c.ascend ? Numbers::ascend : Numbers::descend);
  }
}

TEST(RotatedName, HasTheBasesThatItIsARotationOf) {
  const std::string names[] = {"app.log",
                               "app.log.1",
                               "app.log.1.gz",
                               "app-1.log",
                               "app",
                               "app-20240131.log",
                               "app.log-2024-01-31",
                               "app.1.2.log",
                               "a",
                               "app.log.old",
                               ".1",
                               "1",
                               "app.1",
                               "app-1.2.log.gz",
                               "app..1",
                               ""};
  for (const std::string& name : names) {
    const std::vector<std::string> bases = bases_of(name);
    for (const std::string& base : names) {
      if (base.empty()) continue;
      SCOPED_TRACE(name + " of " + base);
      EXPECT_EQ(std::find(bases.begin(), bases.end(), base) != bases.end(),
                rotation_of(name, base).has_value());
    }
  }
}

}  // namespace
}  // namespace caravel::tail
