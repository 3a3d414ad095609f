#include "formatter/output/rejects.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/file.h"
#include "base/text.h"
#include "formatter/rows/csv.h"

namespace caravel::formatter {

// Opened late: most extracts have no reject, and an empty file would say that there was one.
Output& Rejects::open(File& file, const std::string& path) {
  if (!file.output) {
    if (!path.empty()) {
      // Opened for reading too: pieces may have to be moved from the cut file to the lines.
      auto fd = open_file(
          path, O_RDWR | O_CREAT | O_NOFOLLOW | (mode_ == Mode::append ? O_APPEND : O_TRUNC));
      if (fd) {
        file.fd = std::move(*fd);
        file.made = true;
        // The bytes of an earlier run stay: to move or drop pieces never makes the file shorter
        // than this.
        const off_t size = ::lseek(file.fd.get(), 0, SEEK_END);
        if (size > 0) file.before = static_cast<std::uint64_t>(size);
      } else if (error_) {
        error_ = tl::unexpected(fd.error());
      }
    }
    // Without a file the lines are thrown away: no path was given, or flush() will return the
    // error.
    file.output.emplace(file.fd ? file.fd.get() : -1);
  }
  return *file.output;
}

void Rejects::add_reason(std::uint64_t line, std::uint64_t offset, std::string_view reason) {
  Output& output = open(reasons_, paths_.reasons);
  std::string& text = output.buffer();
  // The header stands at the beginning of the file only, not behind the lines of an earlier run.
  if (reasons_.place() == 0) text += "line,offset,reason\n";
  text += fmt::format("{},{},", line, offset);
  // A store's words may be in it, and people read it with what shows text.
  append_csv_field(shown(reason), text);
  text.push_back('\n');
  output.settle();
}

void Rejects::add(std::uint64_t line, std::uint64_t offset, std::string_view reason,
                  std::string_view bytes) {
  if (show_) {
    show_(line, offset, reason, bytes);
    return;
  }
  Output& output = open(lines_, paths_.lines);
  output.buffer().append(bytes);
  output.buffer().push_back('\n');
  output.settle();
  add_reason(line, offset, reason);
}

void Rejects::add_cut(std::uint64_t line, std::uint64_t offset, std::string_view reason,
                      std::string_view bytes) {
  if (show_) {
    show_(line, offset, reason, bytes);
    return;
  }
  // Only the last line can be cut off, so the cut file holds nothing else.
  Output& output = open(cut_, paths_.cut);
  output.buffer().append(bytes);
  output.settle();
  add_reason(line, offset, reason);
}

void Rejects::add_piece(std::string_view bytes) {
  if (show_) {
    constexpr std::size_t kShown = 1024;  // bytes; nobody reads more of a line on a terminal
    if (piece_.size() < kShown) piece_.append(bytes.substr(0, kShown - piece_.size()));
    return;
  }
  // Whether the line has an end is not known yet. With a cut file its pieces wait there, which is
  // the right place if the line proves to be cut off.
  File& file = paths_.cut.empty() ? lines_ : cut_;
  Output& output = open(file, paths_.cut.empty() ? paths_.lines : paths_.cut);
  if (!pieces_from_) pieces_from_ = file.place();
  output.buffer().append(bytes);
  output.settle();
}

void Rejects::end_pieces(std::uint64_t line, std::uint64_t offset, std::string_view reason,
                         bool terminated) {
  if (show_) {
    show_(line, offset, reason, std::exchange(piece_, {}));
    return;
  }
  Result<> done;
  if (terminated) {
    // A crash before the move leaves the pieces in the cut file. The extract is then formatted
    // again from its beginning, and the files are made anew.
    if (!paths_.cut.empty()) done = move_pieces();
    Output& lines = open(lines_, paths_.lines);
    // The pieces came without the line end.
    lines.buffer().push_back('\n');
    lines.settle();
  } else if (paths_.cut.empty()) {
    done = drop_pieces();
  }
  if (!done && error_) error_ = std::move(done);
  pieces_from_.reset();
  add_reason(line, offset, reason);
}

Result<> Rejects::move_pieces() {
  Output& lines = open(lines_, paths_.lines);
  // The last pieces may still be in the buffer, and are read from the file below.
  CARAVEL_TRY(cut_.output->flush());
  if (!cut_.fd) return {};
  const auto from = static_cast<off_t>(*pieces_from_);
  if (::lseek(cut_.fd.get(), from, SEEK_SET) != from) return fail_with_errno("seek", errno);
  // In chunks: a line may be larger than the memory.
  std::vector<char> chunk(std::size_t{64} * 1024);
  for (;;) {
    CARAVEL_ASSIGN_OR_RETURN(auto got, read_some(cut_.fd.get(), chunk.data(), chunk.size()));
    if (got == 0) break;
    lines.buffer().append(chunk.data(), got);
    lines.settle();
  }
  // An empty cut file would say that a line was cut off.
  if (from == 0) {
    ::unlink(paths_.cut.c_str());
  } else if (::ftruncate(cut_.fd.get(), from) != 0) {  // what an earlier run has cut stays
    return fail_with_errno(paths_.cut, errno);
  }
  cut_ = File{};
  return {};
}

Result<> Rejects::drop_pieces() {
  // Buffered pieces first: written after the cut, they would stand in the file again.
  CARAVEL_TRY(lines_.output->flush());
  if (!lines_.fd) return {};
  // The file of lines is meant to be loaded again, so no half line may stand in it.
  if (::ftruncate(lines_.fd.get(), static_cast<off_t>(*pieces_from_)) != 0) {
    return fail_with_errno(paths_.lines, errno);
  }
  return {};
}

Result<> Rejects::flush(bool durable) {
  for (File* file : {&lines_, &reasons_, &cut_}) {
    if (!file->output) continue;
    auto flushed = file->output->flush();
    // The first error is the cause; those after it follow from it.
    if (!flushed && error_) error_ = std::move(flushed);
    // Written out is not yet on the disk: an extract is called done only when its rejects would
    // outlive a loss of power.
    if (durable && file->fd && ::fsync(file->fd.get()) != 0 && error_) {
      error_ = fail_with_errno("fsync", errno);
    }
  }
  return error_;
}

}  // namespace caravel::formatter
