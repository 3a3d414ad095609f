#include "formatter/output/rejects.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "formatter/rows/csv.h"

namespace caravel::formatter {
namespace {

constexpr std::string_view kReasonsHeader = "line,offset,reason\n";

/// Records of rejects that are kept by their place may take so much more than `max_bytes`: a small
/// limit still tells each reject of an extract of usual size apart.
std::uint64_t room_for_places(std::uint64_t max_bytes) {
  return std::max(max_bytes / 8, std::uint64_t{4} << 20);
}

}  // namespace

Rejects::Rejects(Paths paths, Mode mode, const RejectLimits& limits)
    : paths_(std::move(paths)),
      limits_(limits),
      lines_(paths_.lines, mode == Mode::append, limits.space),
      reasons_(paths_.reasons, mode == Mode::append, limits.space),
      cut_(paths_.cut, mode == Mode::append, limits.space) {}

Rejects::Rejects(Show show)
    : show_(std::move(show)),
      lines_("", false, nullptr),
      reasons_("", false, nullptr),
      cut_("", false, nullptr) {}

std::uint64_t Rejects::used() const { return lines_.size() + reasons_.size() + cut_.size(); }

void Rejects::compose_record(std::uint64_t line, std::uint64_t offset, std::string_view reason) {
  record_.clear();
  // The header stands at the beginning of the file only, not behind the records of an earlier run.
  if (reasons_.size() == 0) record_ += kReasonsHeader;
  record_.append(fmt::format_int(line).c_str()).push_back(',');
  record_.append(fmt::format_int(offset).c_str()).push_back(',');
  // A store's words may be in it, and people read it with what shows text.
  append_csv_field(shown(reason), record_);
  record_.push_back('\n');
}

bool Rejects::fits_with_record(std::uint64_t line, std::uint64_t offset, std::string_view reason,
                               std::uint64_t bytes) {
  // Nothing fits any more: a few MiB can unpack to thousands of millions of rejects, and each
  // should cost as little as can be.
  if (unlisted_ > 0) return false;
  compose_record(line, offset, reason);
  return fits(bytes + record_.size());
}

void Rejects::add(std::uint64_t line, std::uint64_t offset, std::string_view reason,
                  std::string_view bytes) {
  if (show_) {
    show_(line, offset, reason, bytes);
    return;
  }
  if (!fits_with_record(line, offset, reason, bytes.size() + 1)) {
    keep_place({line, offset, offset + bytes.size()}, reason);
    return;
  }
  begin_lines();
  lines_.append(bytes);
  lines_.append("\n");
  reasons_.append(record_);
}

void Rejects::begin_lines() {
  // An earlier run that this one appends to has written the header itself.
  if (header_.empty() || lines_.size() != 0) return;
  lines_.append(header_);
  lines_.append("\n");
}

void Rejects::add_cut(std::uint64_t line, std::uint64_t offset, std::string_view reason,
                      std::string_view bytes) {
  if (show_) {
    show_(line, offset, reason, bytes);
    return;
  }
  if (!fits_with_record(line, offset, reason, bytes.size())) {
    keep_place({line, offset, offset + bytes.size()}, reason);
    return;
  }
  // Only the last line can be cut off, so the cut file holds nothing else.
  cut_.append(bytes);
  reasons_.append(record_);
}

void Rejects::add_piece(std::string_view bytes) {
  if (show_) {
    constexpr std::size_t kShown = 1024;  // bytes; nobody reads more of a line on a terminal
    if (piece_.size() < kShown) piece_.append(bytes.substr(0, kShown - piece_.size()));
    return;
  }
  pieces_bytes_ += bytes.size();
  // Whether the line has an end is not known yet. With a cut file its pieces wait there, which is
  // the right place if the line proves to be cut off.
  RejectFile& file = paths_.cut.empty() ? lines_ : cut_;
  if (paths_.cut.empty()) begin_lines();
  if (!pieces_from_) pieces_from_ = file.size();
  if (!pieces_by_place_ && !fits(bytes.size() + 1)) {
    // Half a line is of no use to anybody: its place says where all of it is.
    file.cut_back(*pieces_from_);
    pieces_by_place_ = true;
  }
  if (!pieces_by_place_) file.append(bytes);
}

void Rejects::end_pieces(std::uint64_t line, std::uint64_t offset, std::string_view reason,
                         bool terminated) {
  if (show_) {
    show_(line, offset, reason, std::exchange(piece_, {}));
    return;
  }
  const std::uint64_t from = pieces_from_.value_or(0);
  const std::uint64_t bytes = std::exchange(pieces_bytes_, 0);
  pieces_from_.reset();
  if (std::exchange(pieces_by_place_, false)) {
    keep_place({line, offset, offset + bytes}, reason);
    return;
  }
  if (terminated) {
    // A crash before the move leaves the pieces in the cut file. The extract is then formatted
    // again from its beginning, and the files are made anew.
    begin_lines();
    if (!paths_.cut.empty()) cut_.move_tail(from, lines_);
    // The pieces came without the line end.
    lines_.append("\n");
  } else if (paths_.cut.empty()) {
    // The file of lines is meant to be loaded again, so no half line may stand in it.
    lines_.cut_back(from);
  }
  compose_record(line, offset, reason);
  reasons_.append(record_);
}

void Rejects::keep_place(const Place& place, std::string_view reason) {
  ++by_place_;
  if (!limits_.has_original) {
    if (error_) {
      error_ = fail(ErrorKind::content,
                    fmt::format("its rejects take more than {} bytes (max_reject_bytes), and what "
                                "comes through a pipe cannot be read again: give a file, or raise "
                                "max_reject_bytes",
                                limits_.max_bytes));
    }
    return;
  }
  // Once a record was left out all later ones are, or the last record would not stand for a range.
  if (unlisted_ == 0) {
    compose_record(place.line, place.offset,
                   paths_.lines.empty() ? std::string(reason)
                                        : fmt::format("{}; kept by its place: {} bytes", reason,
                                                      place.end - place.offset));
    if (used() + record_.size() <= limits_.max_bytes + room_for_places(limits_.max_bytes)) {
      reasons_.append(record_);
      return;
    }
    unlisted_from_to_ = place;
  }
  ++unlisted_;
  unlisted_from_to_.end = std::max(unlisted_from_to_.end, place.end);
}

void Rejects::list_the_rest() {
  if (unlisted_ == 0) return;
  const Place& rest = unlisted_from_to_;
  compose_record(rest.line, rest.offset,
                 fmt::format("{} rejects from here on are not told apart (max_reject_bytes); kept "
                             "by their place: they are among {} bytes",
                             unlisted_, rest.end - rest.offset));
  reasons_.append(record_);
  unlisted_ = 0;
}

Result<> Rejects::flush(bool durable) {
  list_the_rest();
  for (RejectFile* file : {&lines_, &reasons_, &cut_}) {
    auto flushed = file->flush(durable);
    // Written out is not yet on the disk: an extract is called done only when its rejects would
    // outlive a loss of power.
    if (!flushed && error_) error_ = std::move(flushed);
  }
  return error_;
}

Result<> Rejects::status() const {
  if (!error_) return error_;
  for (const RejectFile* file : {&lines_, &reasons_, &cut_}) {
    if (auto status = file->status(); !status) return status;
  }
  return {};
}

}  // namespace caravel::formatter
