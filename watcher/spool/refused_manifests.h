// Manifests that were refused. The ledger has no row of them: failed/NAME.manifest and its .why are
// the record.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "watcher/files/time_text.h"

namespace caravel::watcher {

struct RefusedManifest {
  std::string file;  // its name in failed/
  std::string why;   // one line
  Time since;        // when it came there
};

struct RefusedManifests {
  std::vector<RefusedManifest> newest;  // newest first
  std::uint64_t total = 0;
};

/// "NAME.manifest", the name under which a file of failed/ or done/ came: there a taken name gets
/// "~<hex>" at its end. Nothing if the file is no manifest.
[[nodiscard]] std::optional<std::string> manifest_in_archive(std::string_view file);

/// Those in failed/ of the spool: all, or only those that came as `name`. At most `most` of them
/// are returned, and all are counted. None if failed/ cannot be read.
[[nodiscard]] RefusedManifests refused_manifests(const std::string& spool, std::size_t most,
                                                 std::string_view name = {});

/// Why the manifest `name` was refused; nothing if none of that name is in failed/.
[[nodiscard]] std::optional<std::string> refusal_of_manifest(const std::string& spool,
                                                             const std::string& name);

/// Why the extract `name` has no manifest: "its manifest NAME.manifest has not come", or that it
/// came and was refused.
[[nodiscard]] std::string why_without_manifest(const std::string& spool, const std::string& name);

}  // namespace caravel::watcher
