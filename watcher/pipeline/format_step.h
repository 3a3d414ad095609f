// One extract from its file to CSV, sidecar and reject files: what the pipeline does first, and all
// that `process --dry-run` does.
//
// Two things about an extract can be known for sure only once all of it was read, because they hang
// on its digest: which manifest speaks of it (so where in its log it was, which its row ids say),
// and which time was used for the same content before (so the years of dates without one). So it is
//
//   assume  the manifest of that size, the time of that manifest, its name or its mtime
//   pass    format all of it under this assumption                           digest ─┐
//   settle  ask the ledger what it knows of the digest  <────────────────────────────┘
//   pass    again, if what is settled would give other rows. Rare: a replay, a renamed file.
//   judge   is the year believable, is there a header, are there too many rejects?
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/stop_signal.h"
#include "formatter/formatter.h"
#include "watcher/config/config.h"
#include "watcher/exchange/manifest.h"
#include "watcher/files/file_stamp.h"
#include "watcher/ledger/extract.h"
#include "watcher/ledger/ledger.h"
#include "watcher/pipeline/extract_time.h"

namespace caravel::watcher {

/// CSV and sidecar of an extract that is so small that neither was written to the disk.
struct HeldRows {
  std::string csv;
  std::string sidecar;
};

/// Where the results go; "" leaves one out.
struct FormatTargets {
  std::string csv;
  std::string sidecar;
  formatter::Rejects::Paths rejects;
  /// If not null: rows that are few are put here, and no file is made for them.
  std::optional<HeldRows>* held = nullptr;
  /// Asked before each write of any of them; empty: nobody is.
  formatter::Space::Ask may_write{};
};

/// What a person may say on the command line, over what the feed says.
struct ByHand {
  std::optional<std::chrono::year> year;
  const formatter::Format* format = nullptr;
};

struct FormatOrder {
  const Config& config;
  const FeedConfig& feed;
  const formatter::FormatSet& formats;
  ByHand by_hand;
  std::string name;  // of the extract, for the date in it and its packing
  /// What came as its manifest, newest first.
  std::vector<Manifest> manifests{};
};

struct FormatReport {
  formatter::FormatResult result;
  FileStamp stamp;          // of the file when reading began
  std::string format_name;  // "" if no format was found
  KnownTime time;           // empty if the format needs no year
  bool year_guessed = false;
  /// What is known of its place in its log, because its content is what a manifest says.
  std::optional<Manifest> manifest;
  /// Manifests came for it, and its content is not what any of them says. Nothing else counts then.
  bool mismatch = false;
  /// The whole file is refused: too many rejects, or no year to be known. Why, for people.
  std::optional<std::string> refusal;
  bool year_unknown = false;  // --year would help
  bool has_lines = false;     // which reject files were made
  bool has_cut = false;
  bool has_reasons = false;
  std::uint64_t by_place = 0;  // rejects that are kept by their place in the extract only
};

/// The hash of a log's first line as a manifest has it: 32 hex digits, the high half first.
[[nodiscard]] formatter::Hash128 first_line_hash(const Manifest& manifest);

/// Formats what `fd` has open, from its start; once or twice, as shown above. `fd` stays the
/// caller's, and its offset moves. `ledger` may be null: then nothing of before is known.
///
/// Errors: content if the file must be set aside (damaged, no format takes it, over a limit); retry
/// or fault if reading or writing fails (a full disk); what `may_write` said; stopped.
[[nodiscard]] Result<FormatReport> format_file(int fd, const FormatOrder& order,
                                               const FormatTargets& targets, Ledger* ledger,
                                               const formatter::FormatMonitor& monitor);

}  // namespace caravel::watcher
