// What a format says about people: which captures are made anonymous, and how. docs/privacy.md
// describes it for users; formatter/privacy does it.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace caravel::formatter {

/// What becomes of one captured value. Each is idempotent: what it wrote, it leaves alone.
enum class PrivacyRule : std::uint8_t {
  truncate,  // an IP address: the first 24 bits of IPv4, the first 48 of IPv6, zeros behind them
  hash,      // a keyed digest: equal values stay equal, as long as the key is the same
  drop,      // "-"
  hour,      // a time: its hour, with zeros behind it
  query,     // an URL or a request: without query, fragment and user
  agent,     // a user agent: the family of the program
};

/// One capture of a kind, and its rule.
struct PrivacyAct {
  std::uint8_t capture = 0;
  PrivacyRule rule = PrivacyRule::drop;

  bool operator==(const PrivacyAct&) const = default;
};

/// What all kinds of a format with `privacy` have in common.
struct Privacy {
  /// Of a line that no kind takes: false, nothing is kept of it; true, it is kept without what
  /// looks like an address, an e-mail address or a quoted string.
  bool scrub = false;
  bool hashes = false;                     // a capture has the rule `hash`
  std::string key_file;                    // of `hash`; "" if each day has a salt of its own
  std::chrono::milliseconds keep_salt{0};  // behind the end of its day
};

}  // namespace caravel::formatter
