#include "watcher/privacy/private_copy.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/file.h"
#include "formatter/output/output.h"
#include "watcher/files/file_stamp.h"
#include "watcher/files/time_text.h"
#include "watcher/privacy/key_folder.h"

namespace caravel::watcher {
namespace {

/// A descriptor of its own for the input, which closes what it is given. What can be rewound begins
/// at its start, and ends where it ended when we came.
Result<formatter::Input> open_input(int fd, const std::string& name, bool digest) {
  CARAVEL_ASSIGN_OR_RETURN(const auto stamp, stamp_of_fd(fd));
  const bool seekable = ::lseek(fd, 0, SEEK_SET) == 0;
  UniqueFd own(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!own) return fail_with_errno("dup", errno);
  formatter::Input::Options options;
  options.name = name;
  options.digest = digest;
  if (seekable) {
    options.fixed_size = stamp.size;
    // To Input, a fixed size of 0 means that the size is not fixed.
    if (stamp.size == 0) own = UniqueFd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  }
  return formatter::Input::open(std::move(own), options);
}

}  // namespace

Result<formatter::Anonymised> write_private_copy(int from, int to, const CopyOrder& order,
                                                 const formatter::FormatMonitor& monitor) {
  CARAVEL_ASSIGN_OR_RETURN(auto folder, KeyFolder::open(order.config.state, order.format));
  auto input = open_input(from, order.name, order.digest);
  if (!input && input.error().kind == ErrorKind::content) {
    // Packed by its name only: there is nothing that could be read as lines.
    formatter::Anonymised nothing;
    nothing.damage = std::move(input).error();
    return nothing;
  }
  if (!input) return tl::unexpected(std::move(input).error());
  std::optional<formatter::Space> space;
  if (order.may_write) space.emplace(order.may_write);
  formatter::Output output(to, space ? &*space : nullptr);
  formatter::AnonymiseRequest request{order.format, order.years};
  request.accept_unterminated = order.accept_unterminated;
  request.max_line = order.config.max_line;
  request.plain = order.plain;
  constexpr auto kNoLimit = std::numeric_limits<std::uint64_t>::max();
  request.max_unpacked = order.plain ? kNoLimit : order.config.max_unpacked;
  request.max_ratio = order.plain ? kNoLimit : order.config.max_ratio;
  return formatter::anonymise_extract(*input, request, folder.keys(), output, monitor);
}

Result<UniqueFd> unnamed_private_copy(int from, const std::string& folder, const CopyOrder& order,
                                      const formatter::FormatMonitor& monitor) {
  CARAVEL_ASSIGN_OR_RETURN(auto copy, open_file(folder, O_RDWR | O_TMPFILE));
  CARAVEL_ASSIGN_OR_RETURN(const auto written,
                           write_private_copy(from, copy.get(), order, monitor));
  if (auto why = why_not_loaded(written, order.format); !why.empty()) {
    return fail(ErrorKind::content, std::move(why));
  }
  CARAVEL_TRY(keep_mtime(from, copy.get()));
  if (::lseek(copy.get(), 0, SEEK_SET) != 0) return fail_with_errno("seek", errno);
  return copy;
}

Result<> keep_mtime(int from, int to) {
  struct stat status;
  if (::fstat(from, &status) != 0) return fail_with_errno("fstat", errno);
  const timespec times[2] = {status.st_atim, status.st_mtim};
  if (::futimens(to, times) != 0) return fail_with_errno("anonymous copy", errno);
  return {};
}

Result<UnpackedContent> unpacked_content(int fd, const std::string& name) {
  CARAVEL_ASSIGN_OR_RETURN(auto input, open_input(fd, name, true));
  UnpackedContent content;
  std::vector<char> bytes(std::size_t{256} << 10);
  for (;;) {
    CARAVEL_ASSIGN_OR_RETURN(const auto got, input.read(bytes.data(), bytes.size()));
    if (got == 0) break;
    content.bytes += got;
  }
  content.sha256 = input.digests().unpacked;
  return content;
}

std::string why_not_loaded(const formatter::Anonymised& copy, const formatter::Format& format) {
  if (copy.damage) return copy.damage->message;
  if (copy.forgotten == 0) return "";
  return fmt::format(
      "the salt of the day {} was forgotten (keep_salt {}; or the extract is of more than {} "
      "days): "
      "{} of its {} lines cannot be hashed as they were then, so that their rows could not be "
      "recognised",
      copy.forgotten_day, duration_for_people(format.privacy->keep_salt), kMostNewSalts,
      copy.forgotten, copy.lines);
}

}  // namespace caravel::watcher
