// Rotated files that were compressed before anybody read them: their text, as a file to be read.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/moment.h"
#include "base/unique_fd.h"
#include "watcher/tail/files/disk.h"
#include "watcher/tail/files/log_file.h"
#include "watcher/tail/names/siblings.h"

namespace caravel::tail {

/// What a compressed file holds. It lies on the outbox's disk in a file without a name, so that it
/// is gone when the descriptor is closed, or with the agent.
struct UnpackedText {
  UniqueFd file;
  std::uint64_t size = 0;
  std::string damage;  // why what comes behind cannot be unpacked; empty: it is all there is
};

/// Knows gzip (RFC 1952), several members too. Other forms would make the agent twice as large.
class Unpacker {
 public:
  /// `directory`: the outbox. `disk` outlives this.
  Unpacker(Disk& disk, std::string directory) : disk_(disk), directory_(std::move(directory)) {}

  /// Removes what a crash left behind.
  void clean_up();

  /// Unpacks as a stream, in the memory of one window, and leaves a tenth of the disk's free room
  /// to others. Errors: kind retry (no room, an I/O error), with the file's path.
  /// One that failed is not tried again at each look: the waits grow up to five minutes.
  [[nodiscard]] Result<UnpackedText> unpack(const Sibling& file, const Moment& now);

 private:
  /// The file that failed last.
  struct Failure {
    FileId id;
    Error error;
    std::chrono::milliseconds wait;
    std::chrono::steady_clock::time_point again;
  };
  [[nodiscard]] Result<UnpackedText> unpack_file(const Sibling& file);
  [[nodiscard]] Result<UnpackedText> unpack_into(int packed, int text);
  [[nodiscard]] std::string path() const { return directory_ + "/.unpacked"; }

  Disk& disk_;
  std::string directory_;
  std::optional<Failure> failure_;
};

/// The place `offset` in the text of a gzip file, with its digests; nothing if the text ends before
/// it, or is damaged. Nothing is written for it.
[[nodiscard]] Result<std::optional<Position>> place_in_text(const Sibling& packed,
                                                            std::uint64_t offset);
/// The size of the text, as a gzip file of one member tells it: modulo 4 GiB (RFC 1952, "ISIZE").
[[nodiscard]] Result<std::uint32_t> size_of_text(const Sibling& packed);

/// Whether an Unpacker can read `file`: by its first bytes, whatever it is named.
[[nodiscard]] bool can_be_unpacked(const Sibling& file);

}  // namespace caravel::tail
