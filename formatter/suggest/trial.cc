#include "formatter/suggest/trial.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/file.h"
#include "formatter/formatter.h"
#include "formatter/records/matcher.h"
#include "formatter/rows/sidecar.h"

namespace caravel::formatter {
namespace {

constexpr std::size_t kMostMissed = 5;
constexpr std::size_t kMostMissedBytes = 200;

/// The formatter reads and writes files; these have no name and lie in memory.
Result<UniqueFd> memory_file(std::string_view content = {}) {
  UniqueFd fd(::memfd_create("sample", MFD_CLOEXEC));
  if (!fd) return fail_with_errno("memfd_create", errno);
  CARAVEL_TRY(write_all(fd.get(), content));
  if (::lseek(fd.get(), 0, SEEK_SET) != 0) return fail_with_errno("seek", errno);
  return fd;
}

std::uint64_t blank_lines(std::string_view text) {
  std::uint64_t blank = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.size(), text.find('\n'));
    if (trim_line(text.substr(0, end)).empty()) ++blank;
    text.remove_prefix(std::min(text.size(), end + 1));
  }
  return blank;
}

/// How many lines each kind took: the sidecar says the kind of every row.
Result<> count_kinds(UniqueFd csv, UniqueFd sidecar, Trial& trial) {
  if (::lseek(csv.get(), 0, SEEK_SET) != 0 || ::lseek(sidecar.get(), 0, SEEK_SET) != 0) {
    return fail_with_errno("seek", errno);
  }
  CARAVEL_ASSIGN_OR_RETURN(auto rows, RowReader::open(std::move(csv), std::move(sidecar)));
  for (const std::string& kind : rows.header().kinds) trial.kinds.push_back({kind, 0, 0});
  Row row;
  for (;;) {
    CARAVEL_ASSIGN_OR_RETURN(const auto more, rows.next(row));
    if (!more) return {};
    Trial::Kind& kind = trial.kinds.at(row.kind);
    if (kind.rows++ == 0) kind.first = row.line;
  }
}

}  // namespace

Result<Trial> try_format(const Format& format, std::string_view text) {
  CARAVEL_ASSIGN_OR_RETURN(auto content, memory_file(text));
  Input::Options options;
  options.digest = false;
  CARAVEL_ASSIGN_OR_RETURN(auto input, Input::open(std::move(content), options));
  CARAVEL_ASSIGN_OR_RETURN(auto csv_file, memory_file());
  CARAVEL_ASSIGN_OR_RETURN(auto sidecar_file, memory_file());
  FormatRequest request;
  request.format = &format;
  // Of a leap year, every day exists.
  request.years = YearTable::fixed(std::chrono::year(2000));
  request.accept_unterminated = true;
  Trial trial;
  Rejects rejects(
      [&](std::uint64_t line, std::uint64_t, std::string_view reason, std::string_view bytes) {
        const std::string_view trimmed = trim_line(bytes);
        if (trial.missed.size() == kMostMissed) return;
        trial.missed.push_back(
            {line, std::string(reason), std::string(trimmed.substr(0, kMostMissedBytes))});
      });
  Output csv(csv_file.get());
  Output sidecar(sidecar_file.get());
  CARAVEL_ASSIGN_OR_RETURN(const auto result,
                           format_extract(input, request, {csv, sidecar, rejects}));
  CARAVEL_TRY(count_kinds(std::move(csv_file), std::move(sidecar_file), trial));
  // That a blank line is no row is nobody's fault, and no merit either.
  trial.lines = result.counts.lines - std::min(result.counts.lines, blank_lines(text));
  trial.taken = trial.lines - std::min(trial.lines, result.counts.rejected);
  trial.first_time = result.first_time;
  trial.last_time = result.last_time;
  return trial;
}

Result<Trial> try_format(const std::string& yaml, std::string_view text) {
  CARAVEL_ASSIGN_OR_RETURN(const auto root, YamlNode::parse(yaml, "suggested.yaml"));
  CARAVEL_ASSIGN_OR_RETURN(const auto format, compile_format(root));
  return try_format(format, text);
}

}  // namespace caravel::formatter
