// The keys of formats that hash: read from a key file, or made by us, one for each day.
//
//   STATE/salts/FORMAT/          0700
//     mark                       32 random bytes: what was hashed is known again; never removed
//     20261122                   32 random bytes: the salt of that day
//     20261114                   empty: its salt was forgotten
//
// A day without a file never had a salt, so no row of it was stored by this host, and one is made
// for it: an old log may come late. A day whose file is empty cannot be hashed again as it was: its
// rows would not be recognised, and would be stored twice.
//
// A crash between the making of a salt and its first use leaves a salt that nobody used.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "formatter/formats/format.h"
#include "formatter/privacy/hash_keys.h"
#include "watcher/files/time_text.h"

namespace caravel::watcher {

/// For lines of one extract so many salts are made, and no more: that many days are no log, but
/// somebody who wants our disk full of files.
inline constexpr std::size_t kMostNewSalts = 1000;

/// The keys of one format, for one run. Several processes may have one each. One thread.
class KeyFolder {
 public:
  /// Reads what is there, and makes the mark if it is missing. Of a format that does not hash,
  /// nothing is read or made. Errors: kind fault if a key file cannot be read, is shorter than 16
  /// bytes, or may be read by others than its owner and group.
  [[nodiscard]] static Result<KeyFolder> open(const std::string& state,
                                              const formatter::Format& format);

  /// Refers to this object.
  [[nodiscard]] formatter::HashKeys keys();

 private:
  KeyFolder() = default;
  [[nodiscard]] Result<std::optional<std::string_view>> key_of_day(std::string_view day);

  std::string folder_;  // "" with a key file
  std::string key_;
  std::string mark_;
  std::map<std::string, std::string, std::less<>> salts_;
  std::size_t made_ = 0;
};

/// Forgets the salts of all formats whose time is over: `keep_salt` behind the end of their day, or
/// behind the making of the salt if that is later. `waiting_since`: the oldest extract that was
/// claimed and is not loaded yet needs those that were not over then. Returns how many.
[[nodiscard]] Result<std::size_t> forget_salts(const std::string& state,
                                               const formatter::FormatSet& formats,
                                               std::optional<Time> waiting_since, Time now);

}  // namespace caravel::watcher
