// The configuration file as plain values with defaults. etc/caravel.yaml explains every key.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "uploader/store_config.h"
#include "uploader/store_type.h"
#include "watcher/config/serve.h"
#include "watcher/config/variables.h"

namespace caravel::watcher {

/// How many lines of an extract may be rejected before the whole extract is refused.
struct MaxRejects {
  /// Below this many lines nothing is refused: a short extract says little about its format.
  static constexpr std::uint64_t kFromLines = 20;

  std::optional<unsigned> percent = 50;  // of the extract's lines; if empty, `count` holds
  std::uint64_t count = 0;
  bool operator==(const MaxRejects&) const = default;

  /// The most rejects that an extract of `lines` lines may have and still be stored.
  [[nodiscard]] std::uint64_t allowed(std::uint64_t lines) const;
};

enum class Notice { automatic, poll };  // poll: scan only (network file systems)
enum class YearRule { strict, guess };  // guess: store it though the year is unsure
enum class ManifestRule { optional, required, ignore };
enum class LogFormat { text, logfmt, json };  // how a line of the log is written

struct FeedConfig {
  std::string name;
  std::string drop;             // absolute
  std::string match = "*.log";  // glob, on the name without .gz or .zst
  std::string format = "auto";
  std::string store;     // a name in Config::stores
  std::string timezone;  // IANA name; "" = rows carry no UTC time
  Notice notice = Notice::automatic;
  /// How long a file that a scan found must keep its size and mtime before it counts as whole.
  std::chrono::milliseconds settle{2'000};
  /// The same where no read lease can be taken (fcntl(2), F_SETLEASE), so that nobody can say
  /// whether a sender still has the file open. The key `settle` sets both.
  std::chrono::milliseconds settle_without_lease{60'000};
  bool attach_csv = false;
  bool accept_unterminated = false;
  YearRule year = YearRule::strict;
  ManifestRule manifest = ManifestRule::optional;
  std::chrono::milliseconds manifest_wait{600'000};
  std::optional<std::chrono::milliseconds> expect_every;  // empty = silence is not reported
  /// A source that sent nothing for longer than this is not expected any more. The value is larger
  /// than expect_every.
  std::chrono::milliseconds forget_source{30LL * 86'400'000};
  MaxRejects max_rejects;
  std::chrono::milliseconds keep_done{30LL * 86'400'000};
  /// A retry formats the original again: nothing needs a CSV once its extract is done.
  std::chrono::milliseconds keep_csv{0};
  std::chrono::milliseconds keep_rejects{30LL * 86'400'000};  // from their acknowledgement on
  std::chrono::milliseconds keep_failed{30LL * 86'400'000};   // from their settlement on

  // "FILE:LINE: feeds.NAME.KEY", for errors that only those can find who know the formats and the
  // time zones.
  std::string format_place;
  std::string timezone_place;

  bool operator==(const FeedConfig&) const = default;
};

struct Config {
  std::string file;  // where it was read from
  std::string spool = "/var/spool/caravel";
  std::string state = "/var/lib/caravel";
  std::vector<std::string> formats;  // folders, absolute, besides the shipped one
  std::string log_level = "info";    // trace, debug, info, warning, error
  LogFormat log_format = LogFormat::text;
  std::uint64_t min_free = 256ULL << 20;  // bytes that stay free on the spool's disk
  /// Bytes. An extract that unpacks to more, or whose CSV, sidecar and rejects take more, is
  /// refused.
  std::uint64_t max_unpacked = 8ULL << 30;
  std::uint64_t max_ratio = 1000;  // so is one that unpacks to more than this many times its size
  /// Bytes of memory that zstd may take for its window; a frame that wants more is refused.
  std::uint64_t max_window = 128ULL << 20;
  std::uint64_t max_reject_bytes = 64ULL << 20;  // of one extract in rejects/
  std::uint64_t max_line = 1ULL << 20;           // bytes; a longer line is a reject
  std::uint64_t max_claims = 1000;               // extracts of one feed in work at once
  std::uint64_t workers = 16;  // threads of `watch` that load extracts, for all feeds
  /// Bytes of all files in a folder of the spool; 0 = no bound. The oldest go.
  std::uint64_t max_done_size = 0;
  std::uint64_t max_csv_size = 0;
  std::uint64_t max_rejects_size = 0;
  std::uint64_t max_failed_size = 0;
  /// From their end on, extracts whose files are gone become a part of the ledger's daily totals,
  /// and later their content is not recognised any more.
  std::chrono::milliseconds fold_after{90LL * 86'400'000};
  std::chrono::milliseconds remember{400LL * 86'400'000};

  /// Nobody watched or swept for so long: `status --check` calls that critical.
  std::chrono::milliseconds expect_sweep{600'000};
  /// What may last so long before `status --check` tells of it: an extract that waits, a store that
  /// does not answer, a disk that is full.
  std::chrono::milliseconds max_wait{900'000};
  ServeConfig serve;

  // Both in the file's order: of two feeds that match a name, the first one has it.
  std::vector<uploader::StoreConfig> stores;
  std::vector<FeedConfig> feeds;

  /// Sentences for people, "FILE:LINE: key: …". No secret is in them.
  std::vector<std::string> warnings;

  [[nodiscard]] std::string ledger_path() const { return state + "/ledger.db"; }
  /// Null if there is none of that name.
  [[nodiscard]] const FeedConfig* find_feed(std::string_view name) const;
  [[nodiscard]] const uploader::StoreConfig* find_store(std::string_view name) const;
};

/// `--config FILE`, else $CARAVEL_CONFIG (`env`; null or "" if unset), else
/// /etc/caravel/caravel.yaml.
[[nodiscard]] std::string find_config(const std::optional<std::string>& option, const char* env);

struct ConfigOptions {
  /// Read the stores' passwords. Commands that open no store (status, explain, format) say false:
  /// they then work for users who may not read the passwords.
  bool secrets = true;
  /// $CREDENTIALS_DIRECTORY (systemd.exec(5), "CREDENTIALS"); "" if unset.
  std::string credentials_directory{};
  /// What ${NAME} in a value stands for. Empty: no variable is set.
  Variables variables{};
};

/// Reads and checks the file; a store may have any of `store_types`. All that is wrong is told at
/// once: an error is of kind usage, and it and its `others` name file, line and key.
[[nodiscard]] Result<Config> load_config(const std::string& path,
                                         const uploader::StoreTypes& store_types,
                                         const ConfigOptions& options);

/// The same over `text`; `path` is the name in errors and what relative paths are relative to.
[[nodiscard]] Result<Config> parse_config(const std::string& text, const std::string& path,
                                          const uploader::StoreTypes& store_types,
                                          const ConfigOptions& options);

/// The feed that `--feed NAME` means; without a name, the only feed that there is. Errors (usage)
/// name the feeds that there are.
[[nodiscard]] Result<const FeedConfig*> choose_feed(const Config& config,
                                                    const std::optional<std::string>& name);
/// The same for `--store NAME`.
[[nodiscard]] Result<const uploader::StoreConfig*> choose_store(
    const Config& config, const std::optional<std::string>& name);

/// For commands that need at least one feed.
[[nodiscard]] Result<> expect_feeds(const Config& config);

/// Where a store keeps its rows, as the ledger and people name it: "https://host:6984/feed", or a
/// path. Holds no secret.
[[nodiscard]] std::string store_place(const uploader::StoreConfig& store);

/// Every key that the file may have, by section: "" (the top), "stores", "serve", "feeds". Tests
/// hold etc/caravel.yaml against it.
struct KnownKeys {
  std::string section;
  std::vector<std::string> keys;
};
[[nodiscard]] std::vector<KnownKeys> known_config_keys(const uploader::StoreTypes& store_types);

}  // namespace caravel::watcher
