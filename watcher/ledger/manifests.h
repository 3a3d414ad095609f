// The manifests that came, each with the extract that it speaks of, be that extract here or not.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/sqlite/sqlite.h"
#include "watcher/exchange/manifest.h"
#include "watcher/files/time_text.h"

namespace caravel::watcher {

/// A manifest whose extract is not here.
struct OpenManifest {
  std::string feed;
  std::string name;  // of the extract
  Time since;
};

struct NewestManifest {
  std::string feed;
  std::string name;  // of the extract
  Manifest manifest;
};

/// A manifest is kept by feed, extract's name and content (SHA-256): it says where in its log an
/// extract was, also for a replay without it. It is forgotten with the content (Folding). Errors
/// and threads as for Ledger.
class Manifests {
 public:
  /// `database` outlives it.
  explicit Manifests(Sqlite& database) : database_(database) {}

  /// Remembers what came as the manifest of the extract `name`. The first for a content stays. On
  /// the disk when it returns.
  [[nodiscard]] Result<> add(const std::string& feed, const std::string& name,
                             const Manifest& manifest, Time now);
  /// Remembers that an extract was replaced by its anonymous copy, of which `manifest` speaks. What
  /// came for the original, of the digest `original`, waits for nothing any more.
  [[nodiscard]] Result<> add_copy(const std::string& feed, const std::string& name,
                                  const std::string& original, const Manifest& manifest, Time now);
  /// Those that came for this name, newest first.
  [[nodiscard]] Result<std::vector<Manifest>> for_name(const std::string& feed,
                                                       const std::string& name);
  /// What a manifest said of this content. One for `name` goes first; one that came too late, when
  /// the rows were in the store without it, does not count.
  [[nodiscard]] Result<std::optional<Manifest>> of_content(const std::string& feed,
                                                           const std::string& sha256,
                                                           const std::string& name);
  /// Of each run, the manifest with the highest number, and the name of its extract.
  [[nodiscard]] Result<std::vector<NewestManifest>> newest_of_runs();
  /// Whether extracts of this content (the SHA-256 of the file, and of what is in it unpacked) were
  /// at different places of their logs, or may have been: by the manifests that came, and the
  /// extracts whose name has none (all, if manifests are `ignored`). Such extracts have rows of
  /// their own, which name the same extract as their source.
  [[nodiscard]] Result<bool> has_several_places(const std::string& feed, const std::string& sha256,
                                                const std::string& unpacked_sha256, bool ignored);
  /// Calls `each` with the manifests that came at `since` or later and whose extracts are neither
  /// loaded nor here, newest first.
  [[nodiscard]] Result<> without_extract(Time since, const std::function<void(OpenManifest)>& each);

 private:
  Sqlite& database_;
};

}  // namespace caravel::watcher
