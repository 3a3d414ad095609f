// Where rejected lines go, with their reasons.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "formatter/output/reject_file.h"

namespace caravel::formatter {

/// How much may be kept of the rejects of one extract.
struct RejectLimits {
  /// The most bytes of lines, reasons and cut-off line together. A reject for which there is no
  /// room is kept by its place.
  std::uint64_t max_bytes = std::numeric_limits<std::int64_t>::max();
  /// False: the extract cannot be read again (a pipe), so that a place would be worth nothing. Then
  /// a reject for which there is no room is an error of kind content.
  bool has_original = true;
  Space* space = nullptr;  // asked before each write, if there is one
};

/// Up to three files, each made when its first line comes:
///   lines    each rejected line as it came (a CR too), plus "\n": can be fed again; ahead of them
///            the header, if there is one
///   reasons  CSV with the header line,offset,reason
///   cut      an unterminated last line: never fed again
/// Paths that are "" leave that file out.
///
/// Once they hold as much as the limits allow, a reject is kept by its place: only `reasons` has a
/// record of it, whose reason ends in "; kept by its place: N bytes". From its offset on so many
/// bytes of the unpacked extract are the line without its end. An eighth of `max_bytes`, and 4 MiB
/// at least, may be added for such records; after that the last record stands for all that follow.
class Rejects {
 public:
  struct Paths {
    std::string lines;
    std::string reasons;
    std::string cut;
  };
  /// `append`: to files that an earlier run has made, whose bytes count for the limits.
  enum class Mode { fresh, append };
  explicit Rejects(Paths paths, Mode mode = Mode::fresh, const RejectLimits& limits = {});

  /// No files: each reject is shown as it comes. Of a line too long to hold, only the beginning.
  using Show = std::function<void(std::uint64_t line, std::uint64_t offset, std::string_view reason,
                                  std::string_view bytes)>;
  explicit Rejects(Show show);

  /// A line for the head of the file of lines, without its end: written ahead of the first of them,
  /// if there is one.
  void set_header(std::string header) { header_ = std::move(header); }

  /// A terminated line, or record, without its LF.
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

  /// Writes out; the first error of any write. With `durable`, fsync too.
  [[nodiscard]] Result<> flush(bool durable = false);
  /// The first error so far, without writing anything.
  [[nodiscard]] Result<> status() const;

  [[nodiscard]] bool has_lines() const { return lines_.made(); }
  [[nodiscard]] bool has_cut() const { return cut_.made(); }
  [[nodiscard]] bool has_reasons() const { return reasons_.made(); }
  /// How many rejects this run has kept by their place only.
  [[nodiscard]] std::uint64_t by_place() const { return by_place_; }

 private:
  struct Place {
    std::uint64_t line = 0;
    std::uint64_t offset = 0;
    std::uint64_t end = 0;  // behind its last byte
  };

  [[nodiscard]] std::uint64_t used() const;
  [[nodiscard]] bool fits(std::uint64_t bytes) const { return used() + bytes <= limits_.max_bytes; }
  /// Whether there is room for so many bytes and the record that says why. If so, `record_` is
  /// that.
  [[nodiscard]] bool fits_with_record(std::uint64_t line, std::uint64_t offset,
                                      std::string_view reason, std::uint64_t bytes);
  /// The record that says why, in `record_`.
  void compose_record(std::uint64_t line, std::uint64_t offset, std::string_view reason);
  void keep_place(const Place& place, std::string_view reason);
  void list_the_rest();
  /// The file of lines is about to get one.
  void begin_lines();

  const Paths paths_;
  const RejectLimits limits_;
  const Show show_;
  RejectFile lines_;
  RejectFile reasons_;
  RejectFile cut_;
  std::string header_;
  std::string record_;
  std::string piece_;                         // the beginning of a long line that is shown
  std::optional<std::uint64_t> pieces_from_;  // where an oversized line began in its file
  std::uint64_t pieces_bytes_ = 0;            // of that line
  bool pieces_by_place_ = false;              // its pieces did not fit, and were taken out again
  std::uint64_t by_place_ = 0;
  std::uint64_t unlisted_ = 0;  // of these, since there was no room for their records either
  Place unlisted_from_to_;
  Result<> error_;
};

}  // namespace caravel::formatter
