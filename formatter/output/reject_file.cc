#include "formatter/output/reject_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>
#include <vector>

#include "base/file.h"

namespace caravel::formatter {

RejectFile::RejectFile(std::string path, bool append, Space* space)
    : path_(std::move(path)), append_(append), space_(space) {
  // What an earlier run has written counts from the beginning, not only once this run adds to it.
  struct stat status;
  if (append_ && !path_.empty() && ::lstat(path_.c_str(), &status) == 0) {
    before_ = static_cast<std::uint64_t>(status.st_size);
  }
}

void RejectFile::open() {
  // Opened for reading too: what was written may have to be moved to another file.
  auto fd = open_file(path_, O_RDWR | O_CREAT | O_NOFOLLOW | (append_ ? O_APPEND : O_TRUNC));
  if (fd) {
    fd_ = std::move(*fd);
  } else {
    note(tl::unexpected(std::move(fd).error()));
  }
  // Without a descriptor the bytes are thrown away, and flush() returns the error.
  output_.emplace(fd_.get(), space_);
}

void RejectFile::append(std::string_view bytes) {
  if (path_.empty()) return;
  if (!output_) open();
  output_->append(bytes);
  output_->settle();
}

void RejectFile::cut_back(std::uint64_t size) {
  if (output_ && size < this->size()) note(truncate(size));
}

Result<> RejectFile::truncate(std::uint64_t size) {
  CARAVEL_TRY(output_->status());
  if (!fd_) return {};
  const std::uint64_t written = this->size() - output_->pending().size();
  if (size >= written) {
    // All of it is in the buffer still.
    output_->keep(size - written);
    if (size > 0) return {};
  }
  if (size == 0) {
    // An empty file would say that there was a reject.
    if (::unlink(path_.c_str()) != 0) return fail_with_errno(path_, errno);
    fd_.reset();
    output_.reset();
  } else {
    // Without O_APPEND the next byte would go where the last one was, behind a hole.
    if (::ftruncate(fd_.get(), static_cast<off_t>(size)) != 0 ||
        ::lseek(fd_.get(), 0, SEEK_END) < 0) {
      return fail_with_errno(path_, errno);
    }
    output_.emplace(fd_.get(), space_);
  }
  before_ = size;
  if (space_ != nullptr) space_->give_back(written - size);
  return {};
}

void RejectFile::move_tail(std::uint64_t from, RejectFile& to) {
  if (!output_ || !fd_) return;
  note(copy_tail(from, to));
  cut_back(from);
}

Result<> RejectFile::copy_tail(std::uint64_t from, RejectFile& to) {
  // The last bytes may still be in the buffer, and are read from the file below.
  CARAVEL_TRY(output_->flush());
  // In chunks: a line may be larger than the memory.
  std::vector<char> chunk(std::size_t{64} * 1024);
  for (;;) {
    // pread(2): the place where the next byte is written stays as it is.
    CARAVEL_ASSIGN_OR_RETURN(auto got, read_at(fd_.get(), from, chunk.data(), chunk.size()));
    if (got == 0) return {};
    to.append({chunk.data(), got});
    from += got;
  }
}

Result<> RejectFile::flush(bool durable) {
  note(write_out());
  if (durable && fd_ && ::fsync(fd_.get()) != 0) note(fail_with_errno("fsync " + path_, errno));
  return status();
}

Result<> RejectFile::write_out() { return output_ ? output_->flush() : Result<>(); }

Result<> RejectFile::status() const {
  if (!error_) return error_;
  return output_ ? output_->status() : Result<>();
}

void RejectFile::note(Result<> done) {
  // The first error is the cause; those after it follow from it.
  if (!done && error_) error_ = std::move(done);
}

}  // namespace caravel::formatter
