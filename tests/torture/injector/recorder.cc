#include "tests/torture/injector/recorder.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

namespace caravel::torture {
namespace {

std::string encoded(const std::string& text) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isgraph(byte) != 0 && c != '%') {
      out.push_back(c);
    } else {
      out += {'%', kDigits[byte >> 4U], kDigits[byte & 15U]};
    }
  }
  return out.empty() ? "%" : out;
}

std::string identity_of(const struct stat& status) {
  return std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino);
}

std::string file_at(const std::string& path, bool follow = true) {
  struct stat status {};
  const int failed = follow ? stat(path.c_str(), &status) : lstat(path.c_str(), &status);
  return failed != 0 ? "0:0" : identity_of(status);
}

unsigned mode_at(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) != 0 ? 0600 : status.st_mode & 07777U;
}

/// "DIR NAME" of a path.
std::string place_of(const std::string& path) {
  std::string trimmed = path;
  while (trimmed.size() > 1 && trimmed.ends_with('/')) trimmed.pop_back();
  const std::size_t slash = trimmed.rfind('/');
  return file_at(trimmed.substr(0, slash + 1)) + " " + encoded(trimmed.substr(slash + 1));
}

/// The offset behind which the last write(2) on a descriptor ended.
std::uint64_t position_of(const StoppedCall& stopped, int descriptor) {
  std::ifstream in("/proc/" + std::to_string(stopped.thread()) + "/fdinfo/" +
                   std::to_string(descriptor));
  std::string word;
  std::uint64_t position = 0;
  in >> word >> position;  // the first line is "pos:<tab>NUMBER"
  return position;
}

std::string bytes_of_vector(const StoppedCall& stopped, std::size_t total) {
  const auto count = static_cast<std::size_t>(stopped.argument(2));
  std::vector<iovec> pieces(count);
  const std::string raw = stopped.bytes_at(stopped.argument(1), count * sizeof(iovec));
  std::copy_n(raw.data(), raw.size(), reinterpret_cast<char*>(pieces.data()));
  std::string bytes;
  for (const iovec& piece : pieces) {
    const std::size_t size = std::min(piece.iov_len, total - bytes.size());
    bytes += stopped.bytes_at(reinterpret_cast<std::uint64_t>(piece.iov_base), size);
  }
  return bytes;
}

/// What lies in a file now: of copies inside the kernel no memory of the program has the bytes.
std::string bytes_in_file(const std::string& path, std::uint64_t offset, std::size_t size) {
  std::ifstream in(path, std::ios::binary);
  std::string bytes(size, '\0');
  in.seekg(static_cast<std::streamoff>(offset));
  in.read(bytes.data(), static_cast<std::streamsize>(size));
  bytes.resize(static_cast<std::size_t>(std::max<std::streamsize>(in.gcount(), 0)));
  return bytes;
}

bool is(const BegunCall& begun, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), begun.call.name) != names.end();
}

unsigned long flags_of(const BegunCall& begun, const StoppedCall& stopped) {
  return begun.call.name == "creat" ? O_CREAT | O_WRONLY | O_TRUNC
                                    : stopped.argument(begun.call.path + 1);
}

}  // namespace

BegunCall Recorder::begin(const Call& call, std::uint64_t number, const StoppedCall& stopped) {
  BegunCall begun{call,  number, stopped.subject_of(call), stopped.second_subject_of(call),
                  false, {}};
  struct stat status {};
  if (call.path != kNone) begun.was_there = lstat(begun.path.c_str(), &status) == 0;
  if (call.name.starts_with("link")) {
    // A descriptor's own link in /proc/self, or AT_EMPTY_PATH, names a file that may have no name.
    std::string source = begun.path;
    if (source.starts_with("/proc/self/")) {
      source = "/proc/" + std::to_string(stopped.thread()) + source.substr(10);
    } else if (call.name == "linkat" && stopped.text_at(stopped.argument(1)).empty()) {
      source = stopped.link_of(static_cast<int>(stopped.argument(0)));
    }
    begun.source_file = file_at(source);
  }
  return begun;
}

void Recorder::end(const BegunCall& begun, const StoppedCall& stopped) {
  if (stopped.result() < 0) return;
  if (is(begun, {"open", "openat", "creat"})) {
    opened(begun, stopped);
  } else if (is(begun, {"write", "pwrite64", "writev", "pwritev", "copy_file_range", "sendfile"})) {
    written(begun, stopped);
  } else if (is(begun, {"ftruncate", "truncate", "fallocate"})) {
    resized(begun, stopped);
  } else if (is(begun, {"fsync", "fdatasync"})) {
    out_ << begun.number << " sync "
         << file_at(stopped.link_of(static_cast<int>(stopped.argument(0)))) << '\n';
  } else if (is(begun, {"syncfs"})) {
    out_ << begun.number << " syncall\n";
  } else if (is(begun, {"utimensat"})) {
    struct stat status {};
    if (stat(begun.path.c_str(), &status) != 0) return;
    out_ << begun.number << " times " << identity_of(status) << ' '
         << status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec << '\n';
  } else {
    named(begun, stopped);
  }
}

void Recorder::opened(const BegunCall& begun, const StoppedCall& stopped) {
  const unsigned long flags = flags_of(begun, stopped);
  const std::string link = stopped.link_of(static_cast<int>(stopped.result()));
  const std::string file = file_at(link);
  if ((flags & O_TMPFILE) == O_TMPFILE) {
    out_ << begun.number << " tmpfile " << file << ' ' << mode_at(link) << '\n';
  } else if (!begun.was_there) {
    out_ << begun.number << " create " << place_of(begun.path) << ' ' << file << ' '
         << mode_at(link) << '\n';
  } else if ((flags & O_TRUNC) != 0) {
    out_ << begun.number << " size " << file << " 0\n";
  }
}

void Recorder::written(const BegunCall& begun, const StoppedCall& stopped) {
  const auto size = static_cast<std::size_t>(stopped.result());
  const int descriptor = static_cast<int>(stopped.argument(begun.call.descriptor));
  const std::string link = stopped.link_of(descriptor);
  std::uint64_t offset = 0;
  if (is(begun, {"pwrite64", "pwritev"})) {
    offset = stopped.argument(3);
  } else {
    // copy_file_range(2) with an offset of its own is used by no program that is traced here.
    offset = position_of(stopped, descriptor) - size;
  }
  std::string bytes;
  if (is(begun, {"write", "pwrite64"})) {
    bytes = stopped.bytes_at(stopped.argument(1), size);
  } else if (is(begun, {"writev", "pwritev"})) {
    bytes = bytes_of_vector(stopped, size);
  } else {
    bytes = bytes_in_file(link, offset, size);
  }
  write_bytes(begun.number, file_at(link), offset, bytes);
}

void Recorder::write_bytes(std::uint64_t number, const std::string& file, std::uint64_t offset,
                           const std::string& bytes) {
  out_ << number << " write " << file << ' ' << offset << ' ' << bytes.size() << '\n'
       << bytes << '\n';
}

void Recorder::resized(const BegunCall& begun, const StoppedCall& stopped) {
  if (begun.call.name == "fallocate") {
    const std::string link = stopped.link_of(static_cast<int>(stopped.argument(0)));
    const std::string range =
        std::to_string(stopped.argument(2)) + " " + std::to_string(stopped.argument(3));
    if ((stopped.argument(1) & FALLOC_FL_PUNCH_HOLE) != 0) {
      out_ << begun.number << " punch " << file_at(link) << ' ' << range << '\n';
    }
    struct stat status {};
    if (stat(link.c_str(), &status) == 0) {
      out_ << begun.number << " size " << identity_of(status) << ' ' << status.st_size << '\n';
    }
    return;
  }
  const std::string path = begun.call.name == "truncate"
                               ? begun.path
                               : stopped.link_of(static_cast<int>(stopped.argument(0)));
  out_ << begun.number << " size " << file_at(path) << ' ' << stopped.argument(1) << '\n';
}

void Recorder::named(const BegunCall& begun, const StoppedCall& stopped) {
  if (begun.call.name.starts_with("rename")) {
    out_ << begun.number << " rename " << place_of(begun.path) << ' ' << place_of(begun.second_path)
         << '\n';
  } else if (begun.call.name.starts_with("link")) {
    out_ << begun.number << " link " << begun.source_file << ' ' << place_of(begun.second_path)
         << '\n';
  } else if (begun.call.name.starts_with("symlink")) {
    out_ << begun.number << " symlink " << place_of(begun.path) << ' '
         << encoded(stopped.text_at(stopped.argument(0))) << '\n';
  } else if (begun.call.name.starts_with("unlink") || begun.call.name == "rmdir") {
    out_ << begun.number << " unlink " << place_of(begun.path) << '\n';
  } else if (begun.call.name.starts_with("mkdir") || begun.call.name.starts_with("mknod")) {
    out_ << begun.number << (begun.call.name.starts_with("mkdir") ? " mkdir " : " create ")
         << place_of(begun.path) << ' ' << file_at(begun.path) << ' ' << mode_at(begun.path)
         << '\n';
  }
}

}  // namespace caravel::torture
