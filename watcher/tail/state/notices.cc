#include "watcher/tail/state/notices.h"

#include <algorithm>

#include "watcher/exchange/utf8.h"

namespace caravel::tail {

std::string shown(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    const std::size_t length = watcher::utf8_length(path);
    if (length > 0 && !watcher::is_control(path.substr(0, length))) {
      out.append(path.substr(0, length));
      path.remove_prefix(length);
      continue;
    }
    const std::size_t bytes = std::max<std::size_t>(length, 1);
    for (const char c : path.substr(0, bytes)) {
      const auto byte = static_cast<unsigned char>(c);
      out += "\\x";
      out += "0123456789ABCDEF"[byte >> 4U];
      out += "0123456789ABCDEF"[byte & 15U];
    }
    path.remove_prefix(bytes);
  }
  return out;
}

}  // namespace caravel::tail
