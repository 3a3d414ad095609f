#include "watcher/serve/page/reasons.h"

#include <fcntl.h>

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "base/file.h"
#include "base/text.h"
#include "base/unique_fd.h"
#include "formatter/rows/csv.h"

namespace caravel::watcher {
namespace {

/// Enough for hundreds of reasons, little for a page that is asked for often.
constexpr std::size_t kMostRead = 64 * 1024;

/// "expected a blank at byte 95 (location)" -> "expected a blank (location)".
std::string without_place(std::string reason) {
  constexpr std::string_view kAt = " at byte ";
  const std::size_t at = reason.find(kAt);
  if (at == std::string::npos) return reason;
  std::size_t end = at + kAt.size();
  while (end < reason.size() && is_digit(reason[end])) ++end;
  return reason.erase(at, end - at);
}

}  // namespace

std::vector<std::string> frequent_reasons(const std::string& path, std::size_t most) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!fd) return {};
  std::string text(kMostRead, '\0');
  text.resize(read_at(fd.get(), 0, text.data(), text.size()).value_or(0));
  std::map<std::string, std::uint64_t> counts;
  std::vector<std::string_view> fields;
  std::string scratch;
  // The first line is the header; what has no end was cut off by kMostRead.
  for (std::size_t begin = text.find('\n') + 1; begin != 0;) {
    const std::size_t end = text.find('\n', begin);
    if (end == std::string::npos) break;
    const std::string_view record = std::string_view(text).substr(begin, end - begin);
    if (formatter::split_csv_record(record, fields, scratch) && fields.size() == 3) {
      ++counts[without_place(std::string(fields[2]))];
    }
    begin = end + 1;
  }
  std::vector<std::pair<std::uint64_t, std::string>> sorted;
  for (auto& [reason, count] : counts) sorted.emplace_back(count, reason);
  std::ranges::stable_sort(sorted, [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<std::string> out;
  for (const auto& [count, reason] : sorted) {
    if (out.size() == most) break;
    out.push_back(fmt::format("{} × {}", count, reason));
  }
  return out;
}

}  // namespace caravel::watcher
