#include "watcher/tail/extracts/record_start.h"

#include <algorithm>
#include <string>

#include "base/file.h"
#include "watcher/tail/names/wildcard.h"

namespace caravel::tail {
namespace {

constexpr std::size_t kBlockBytes = 64 << 10;
/// How a record begins is told by so many bytes of its first line.
constexpr std::size_t kLookedAt = 256;

}  // namespace

Result<std::uint64_t> last_record_start(int fd, Range range, std::string_view pattern) {
  const std::string beginning = std::string(pattern) + "*";
  std::string block;
  // A line begins behind a line end: of those in [range.first, end), the last comes first.
  for (std::uint64_t end = range.last - 1; end > range.first;) {
    const auto size =
        static_cast<std::size_t>(std::min<std::uint64_t>(end - range.first, kBlockBytes));
    const std::uint64_t begin = end - size;
    block.resize(std::min<std::uint64_t>(range.last - begin, size + kLookedAt));
    CARAVEL_ASSIGN_OR_RETURN(const auto got, read_at(fd, begin, block.data(), block.size()));
    if (got < block.size()) return fail(ErrorKind::retry, "changed while it was read");
    const std::string_view bytes = block;
    for (std::size_t before = size; before > 0;) {
      const std::size_t line_end = bytes.rfind('\n', before - 1);
      if (line_end == std::string_view::npos) break;
      before = line_end;
      const std::string_view line = bytes.substr(line_end + 1, kLookedAt);
      if (wildcard_matches(beginning, line.substr(0, line.find('\n')))) {
        return begin + line_end + 1;
      }
    }
    end = begin;
  }
  return 0;
}

}  // namespace caravel::tail
