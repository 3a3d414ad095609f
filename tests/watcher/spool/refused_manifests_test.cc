// Manifests in failed/: which files those are, and what their .why says.
#include "watcher/spool/refused_manifests.h"

#include <gmock/gmock.h>

#include "tests/support/temp_dir.h"

namespace caravel::watcher {
namespace {

using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

TEST(RefusedManifests, AreKnownByTheNameThatTheyCameWith) {
  const struct {
    std::string_view file;
    std::optional<std::string> name;
  } cases[] = {
      {"a.log.manifest", "a.log.manifest"},
      {"a.log.manifest~0a1b2c3d", "a.log.manifest"},
      {"a.log.manifest~0a1b2c3d~2", "a.log.manifest"},
      {"a~b.log.manifest", "a~b.log.manifest"},
      {"a.manifest.manifest", "a.manifest.manifest"},
      {"a.log", std::nullopt},
      {"a.log.why", std::nullopt},
      {"a.log.manifest.why", std::nullopt},
      {"a.log.manifest~0a1b2c3d.why", std::nullopt},
      {"a.manifest.log", std::nullopt},
      {"", std::nullopt},
  };
  for (const auto& test : cases) {
    SCOPED_TRACE(test.file);
    EXPECT_EQ(manifest_in_archive(test.file), test.name);
  }
}

TEST(RefusedManifests, AreListedWithTheirReasonsAndAllCounted) {
  const test::TempDir spool;
  EXPECT_EQ(refused_manifests(spool.path(), 10).total, 0U);
  for (const char* name : {"a.log.manifest", "a.log.manifest~0a1b2c3d", "b.log.manifest"}) {
    const std::string file = std::string("failed/") + name;
    spool.write_file(file, "x");
    spool.write_file(file + ".why", std::string("is no ") + name + "\n\nclaim: 1\n");
  }
  spool.write_file("failed/c.log", "x");
  EXPECT_EQ(refused_manifests(spool.path(), 2).total, 3U);
  EXPECT_THAT(refused_manifests(spool.path(), 2).newest, SizeIs(2));
  std::vector<std::string> reasons;
  for (const auto& refused : refused_manifests(spool.path(), 10, "a.log.manifest").newest) {
    reasons.push_back(refused.why);
  }
  EXPECT_THAT(reasons,
              UnorderedElementsAre("is no a.log.manifest", "is no a.log.manifest~0a1b2c3d"));
  EXPECT_EQ(refusal_of_manifest(spool.path(), "b.log.manifest"), "is no b.log.manifest");
  EXPECT_EQ(refusal_of_manifest(spool.path(), "c.log.manifest"), std::nullopt);
}

TEST(RefusedManifests, OneThatIsGoneIsNotTakenFromItsReason) {
  const test::TempDir spool;
  spool.write_file("failed/a.log.manifest.why", "is no manifest\n");
  EXPECT_EQ(refusal_of_manifest(spool.path(), "a.log.manifest"), std::nullopt);
}

}  // namespace
}  // namespace caravel::watcher
