#include "watcher/pipeline/refused_rows.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <map>

#include "formatter/input/input.h"
#include "formatter/input/line_splitter.h"

namespace caravel::watcher {

Result<> add_refused_rows(int fd, const std::string& name, std::uint64_t size, std::size_t max_line,
                          const std::vector<uploader::RefusedRow>& refused,
                          const formatter::Rejects::Paths& paths) {
  std::map<std::uint64_t, const uploader::RefusedRow*> by_line;
  for (const uploader::RefusedRow& row : refused) by_line.emplace(row.line, &row);

  if (::lseek(fd, 0, SEEK_SET) != 0) return fail_with_errno("seek", errno);
  UniqueFd own(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
  formatter::Input::Options options;
  options.digest = false;
  options.fixed_size = size;
  options.name = name;
  CARAVEL_ASSIGN_OR_RETURN(auto input, formatter::Input::open(std::move(own), options));
  formatter::LineSplitter lines(input, max_line);
  formatter::Rejects rejects(paths, formatter::Rejects::Mode::append);
  auto next = by_line.begin();
  formatter::Line line;
  while (next != by_line.end()) {
    CARAVEL_ASSIGN_OR_RETURN(auto more, lines.next(line));
    if (!more) break;
    if (line.number != next->first) continue;
    rejects.add(line.number, line.offset, next->second->reason, line.text());
    ++next;
  }
  return rejects.flush(true);
}

Result<> add_refused_reasons(const std::vector<uploader::RefusedRow>& refused,
                             const formatter::Rejects::Paths& paths) {
  formatter::Rejects rejects({"", paths.reasons, ""}, formatter::Rejects::Mode::append);
  for (const uploader::RefusedRow& row : refused) rejects.add(row.line, row.offset, row.reason, "");
  return rejects.flush(true);
}

}  // namespace caravel::watcher
