// Where rejected lines go, with their reasons.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/unique_fd.h"
#include "formatter/output/output.h"

namespace caravel::formatter {

/// Up to three files, each made when its first line comes:
///   lines    each rejected line as it came (a CR too), plus "\n": can be fed again
///   reasons  CSV with the header line,offset,reason
///   cut      an unterminated last line: never fed again
/// Paths that are "" leave that file out.
class Rejects {
 public:
  struct Paths {
    std::string lines;
    std::string reasons;
    std::string cut;
  };
  /// `append`: to files that an earlier run has made.
  enum class Mode { fresh, append };
  explicit Rejects(Paths paths, Mode mode = Mode::fresh) : paths_(std::move(paths)), mode_(mode) {}

  /// No files: each reject is shown as it comes. Of a line too long to hold, only the beginning.
  using Show = std::function<void(std::uint64_t line, std::uint64_t offset, std::string_view reason,
                                  std::string_view bytes)>;
  explicit Rejects(Show show) : mode_(Mode::fresh), show_(std::move(show)) {}

  /// A terminated line, without its LF.
  void add(std::uint64_t line, std::uint64_t offset, std::string_view reason,
           std::string_view bytes);
  /// The last line, which has no end.
  void add_cut(std::uint64_t line, std::uint64_t offset, std::string_view reason,
               std::string_view bytes);
  /// A piece of a line that is too long to hold. Only its end says whether it was cut off.
  void add_piece(std::string_view bytes);
  /// The end of such a line.
  void end_pieces(std::uint64_t line, std::uint64_t offset, std::string_view reason,
                  bool terminated);

  /// Writes out; the first error of any write since the last call. With `durable`, fsync too.
  [[nodiscard]] Result<> flush(bool durable = false);

  [[nodiscard]] bool has_lines() const { return lines_.made; }
  [[nodiscard]] bool has_cut() const { return cut_.made; }
  [[nodiscard]] bool has_reasons() const { return reasons_.made; }

 private:
  struct File {
    UniqueFd fd;
    std::optional<Output> output;
    bool made = false;
    std::uint64_t before = 0;  // bytes that were there when it was opened
    /// Where the next byte goes.
    [[nodiscard]] std::uint64_t place() const { return before + output->bytes(); }
  };
  /// From the cut file to the lines: the line has an end after all.
  Result<> move_pieces();
  /// Out of the lines again, if there is no cut file: the line is cut off.
  Result<> drop_pieces();
  Output& open(File& file, const std::string& path);
  void add_reason(std::uint64_t line, std::uint64_t offset, std::string_view reason);

  Paths paths_;
  Mode mode_;
  Show show_;
  std::string piece_;  // the beginning of a long line that is shown
  File lines_;
  File reasons_;
  File cut_;
  std::optional<std::uint64_t> pieces_from_;  // where an oversized line began in its file
  Result<> error_;
};

}  // namespace caravel::formatter
