// The note that travels with each extract of the tail agent, and the extract's name. Pure; both
// sides share it: the agent writes, the loading host reads. docs/tail.md has the layout.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace caravel::watcher {

/// The ledger counts no further (SQLite's integers are signed).
inline constexpr std::uint64_t kMaxSequence = INT64_MAX - 1;

/// What one extract holds and where in which log it was. The bytes of the extract are the bytes
/// [first, last) of one file: the one that had `device` and `inode` on the capture host when the
/// extract was cut. An extract never mixes two files, but for a line that its logger cut in two
/// when it rotated the log: joined, it stands as if the first file had gone on.
struct Manifest {
  static constexpr std::uint64_t kVersion = 1;

  std::uint64_t version = kVersion;
  std::string host;  // any bytes but NUL; escape them before showing them
  std::string log;   // the log's path on the capture host: any bytes but NUL
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::string run;             // 8 hex digits, made at random with the state of one log
  std::uint64_t sequence = 0;  // from 1 within the run, without gaps, also over rotations
  /// 32 hex digits: XXH3-128, canonical form, of the first line of that file, without its line end
  /// (\n or \r\n) and a UTF-8 BOM, blanks kept, over at most its first 64 KiB.
  std::string first_line;
  std::uint64_t first = 0;  // byte offset in that file: of the extract's first byte
  std::uint64_t last = 0;   // one past the extract's last byte: where the next extract begins
  std::uint64_t bytes = 0;  // last - first
  /// Whole lines; each ends with \n. 0: the extract is a piece of a line that its logger cut in
  /// two when it rotated the log: the first one, without a line end, or the second one.
  std::uint64_t lines = 0;
  std::string sha256;                         // 64 hex digits, over the extract's bytes
  std::chrono::system_clock::time_point cut;  // wall time of the capture host; milliseconds count

  bool operator==(const Manifest&) const = default;
};

inline constexpr std::size_t kMaxManifestBytes = 64 * 1024;

/// Lines of `key=value`, each ended by \n, `version` first. `host` and `log` are percent-encoded.
[[nodiscard]] std::string format_manifest(const Manifest& manifest);

/// Reads what format_manifest() wrote, in any order after `version`; keys that it does not know are
/// passed over, so that later agents may add some. Everything else that is odd is an error of kind
/// content that names line and key: the text may be an enemy's or half of a transfer.
[[nodiscard]] Result<Manifest> parse_manifest(std::string_view text);

inline constexpr std::string_view kManifestSuffix = ".manifest";

/// "NAME.manifest".
[[nodiscard]] std::string manifest_name(std::string_view extract);

/// The name of an extract: "<log>.<host>.<run>.<sequence, 8 digits>.log". `log` is a path, of which
/// the last component counts; in it and in `host` whatever a drop directory refuses becomes '_'
/// (control characters, bytes that are not UTF-8, a dot or tilde at the start). The log's part is
/// shortened so that the name of the manifest stays within 200 bytes.
[[nodiscard]] std::string extract_name(std::string_view log, std::string_view host,
                                       std::string_view run, std::uint64_t sequence);

/// What a name of that shape says. Log and host may hold dots, so they stay together.
struct TailName {
  std::string_view log_and_host;
  std::string_view run;
  std::uint64_t sequence = 0;

  bool operator==(const TailName&) const = default;
};

/// The parts of an extract's name, also with .gz or .zst at its end; nothing for any other name.
/// The views point into `name`.
[[nodiscard]] std::optional<TailName> parse_tail_name(std::string_view name);

}  // namespace caravel::watcher
