// Formats an extract twice, with the quick way and without: unit tests and a fuzz target compare.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <limits>
#include <string>
#include <string_view>

#include "base/file.h"
#include "formatter/formatter.h"

namespace caravel::test {

namespace internal {

inline UniqueFd InMemory(std::string_view content) {
  UniqueFd fd(::memfd_create("extract", MFD_CLOEXEC));
  if (!fd || !write_all(fd.get(), content) || ::lseek(fd.get(), 0, SEEK_SET) != 0) std::abort();
  return fd;
}

inline std::string ContentOf(const UniqueFd& fd) {
  std::string content(static_cast<std::size_t>(::lseek(fd.get(), 0, SEEK_END)), '\0');
  if (!read_at(fd.get(), 0, content.data(), content.size())) std::abort();
  return content;
}

/// All that comes of one run, as one text.
inline std::string AllOf(std::string_view extract, const formatter::FormatRequest& request,
                         bool with_sidecar) {
  auto input = formatter::Input::open(InMemory(extract), {});
  if (!input) return "input: " + input.error().message;
  const UniqueFd csv_fd = InMemory("");
  const UniqueFd sidecar_fd = InMemory("");
  formatter::Output csv(csv_fd.get());
  formatter::Output sidecar(with_sidecar ? sidecar_fd.get() : -1);
  std::string text;
  formatter::Rejects rejects([&](std::uint64_t line, std::uint64_t offset, std::string_view reason,
                                 std::string_view bytes) {
    text += "reject " + std::to_string(line) + ' ' + std::to_string(offset) + ' ';
    text.append(reason).append(" | ").append(bytes) += '\n';
  });
  const auto result = formatter::format_extract(*input, request, {csv, sidecar, rejects});
  if (!result) return text + "error: " + result.error().message;
  text += "lines " + std::to_string(result->counts.lines) + " rows " +
          std::to_string(result->counts.rows) + " dropped " +
          std::to_string(result->counts.dropped) + " times " + result->first_time + ' ' +
          result->last_time + ' ';
  if (result->last_date) text += std::to_string(unsigned{result->last_date->day()});
  return text + '\n' + ContentOf(csv_fd) + ContentOf(sidecar_fd);
}

}  // namespace internal

/// "" if both ways come to the same, byte for byte: CSV, sidecar, rejects with their reasons,
/// counts and times. Else what is different, from shortly before the first byte that is.
inline std::string CompareBothWays(std::string_view extract, formatter::FormatRequest request,
                                   bool with_sidecar = true) {
  request.quick_from = 0;
  const std::string quick = internal::AllOf(extract, request, with_sidecar);
  request.quick_from = std::numeric_limits<std::size_t>::max();
  const std::string thorough = internal::AllOf(extract, request, with_sidecar);
  if (quick == thorough) return "";
  std::size_t same = 0;
  while (same < quick.size() && same < thorough.size() && quick[same] == thorough[same]) ++same;
  const std::size_t from = same - std::min<std::size_t>(same, 200);
  return "quick:\n" + quick.substr(from, 600) + "\nthorough:\n" + thorough.substr(from, 600);
}

}  // namespace caravel::test
