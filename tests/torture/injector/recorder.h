// Writes down what a program does to the disk, so that the state after a power cut at any moment
// can be built from it (tests/torture/disk.py does that).
//
// The file is lines of words separated by blanks; names and targets are percent-encoded, a file is
// DEVICE:INODE. The first word numbers the counted call.
//
//   N create DIR NAME FILE MODE      a new, empty file          N mkdir DIR NAME FILE MODE
//   N tmpfile FILE MODE              one without a name         N symlink DIR NAME TARGET
//   N link FILE DIR NAME                                        N unlink DIR NAME (rmdir too)
//   N rename DIR NAME DIR NAME
//   N write FILE OFFSET SIZE         SIZE bytes and a line end follow
//   N size FILE SIZE                 cut or made longer         N punch FILE OFFSET SIZE
//   N times FILE MTIME               nanoseconds since 1970
//   N sync FILE                      a file or a directory      N syncall
#pragma once

#include <cstdint>
#include <fstream>
#include <string>

#include "tests/torture/injector/calls.h"
#include "tests/torture/injector/tracee.h"

namespace caravel::torture {

/// A call that was begun, with what can be known only before it is made.
struct BegunCall {
  Call call;
  std::uint64_t number = 0;
  std::string path;
  std::string second_path;
  bool was_there = false;   // the path, before
  std::string source_file;  // of link: what gets another name
};

class Recorder {
 public:
  explicit Recorder(const std::string& path) : out_(path, std::ios::binary) {}

  /// `stopped` has not made the call yet.
  [[nodiscard]] static BegunCall begin(const Call& call, std::uint64_t number,
                                       const StoppedCall& stopped);
  /// `stopped` has just made it. A call that failed changed nothing.
  void end(const BegunCall& begun, const StoppedCall& stopped);

 private:
  void opened(const BegunCall& begun, const StoppedCall& stopped);
  void written(const BegunCall& begun, const StoppedCall& stopped);
  void named(const BegunCall& begun, const StoppedCall& stopped);
  void resized(const BegunCall& begun, const StoppedCall& stopped);
  void write_bytes(std::uint64_t number, const std::string& file, std::uint64_t offset,
                   const std::string& bytes);

  std::ofstream out_;
};

}  // namespace caravel::torture
