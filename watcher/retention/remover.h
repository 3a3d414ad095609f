// What removes files for retention, or only says which it would remove.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "watcher/ledger/upkeep/overfull.h"

namespace caravel::watcher {

/// Why a file goes.
enum class RemovalReason {
  age,   // kept long enough
  size,  // its folder holds more than it may, and no other file is older
};

struct Removal {
  std::string path;  // relative to the spool
  std::uint64_t bytes = 0;
  RemovalReason reason = RemovalReason::age;
};

/// What went, and what could not.
struct Removed {
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::vector<Error> errors;  // the first few; one file that cannot be deleted holds up no other
  std::vector<OverfullFolder> overfull;  // those that hold too much still
};

/// How much a folder holds, and how much it may.
class Fill {
 public:
  /// `most` bytes; 0 is no bound.
  explicit Fill(std::uint64_t most) : most_(most) {}

  [[nodiscard]] bool is_bounded() const { return most_ > 0; }
  [[nodiscard]] bool is_over() const { return is_bounded() && bytes_ > most_; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  [[nodiscard]] std::uint64_t most() const { return most_; }
  void add(std::uint64_t bytes) { bytes_ += bytes; }
  void take(std::uint64_t bytes) { bytes_ -= bytes < bytes_ ? bytes : bytes_; }

 private:
  std::uint64_t most_;
  std::uint64_t bytes_ = 0;
};

/// Hands files over to unlinkat(2), or does not: `--dry-run` takes the same way but for that call.
class Remover {
 public:
  enum class Mode { remove, only_look };
  using Tell = std::function<void(const Removal&)>;

  /// `tell` hears of each file, before it goes.
  explicit Remover(Mode mode = Mode::remove, Tell tell = {})
      : mode_(mode), tell_(std::move(tell)) {}

  /// Deletes one regular file (or symlink, not what it leads to) of a directory. False if it
  /// stays because of an error. One that is gone already is no error.
  bool remove(int directory_fd, const std::string& name, const Removal& removal);
  /// The same for what nobody knows of but us: it is not counted, and not told of.
  void remove_hidden(int directory_fd, const std::string& name);
  /// An empty directory; one that is not empty stays.
  void remove_directory(int directory_fd, const std::string& name);
  void note(Error error);
  /// The folder is through: is it full still? The name as in OverfullFolder.
  void note_fill(const std::string& folder, const Fill& fill);

  [[nodiscard]] const Removed& removed() const { return removed_; }

 private:
  Mode mode_;
  Tell tell_;
  Removed removed_;
};

}  // namespace caravel::watcher
