#include "watcher/logging/log_line.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace caravel::watcher {
namespace {

std::string logfmt_value(std::string_view value) {
  const bool plain = !value.empty() && std::ranges::all_of(value, [](unsigned char c) {
    return c > ' ' && c != '"' && c != '=' && c != '\\' && c < 0x7F;
  });
  if (plain) return std::string(value);
  std::string out = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) < ' ') {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out + "\"";
}

}  // namespace

std::string logfmt_line(Time time, std::string_view level, std::string_view message,
                        const LogFields& fields) {
  std::string out =
      fmt::format("time={} level={} msg={}", time_text(time), level, logfmt_value(message));
  for (const auto& [name, value] : fields) out += fmt::format(" {}={}", name, logfmt_value(value));
  return out;
}

std::string json_line(Time time, std::string_view level, std::string_view message,
                      const LogFields& fields) {
  nlohmann::ordered_json line = {{"time", time_text(time)}, {"level", level}, {"message", message}};
  for (const auto& [name, value] : fields) line[std::string(name)] = value;
  // Bytes that are no UTF-8 become U+FFFD: one bad name must not cost a line.
  return line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace caravel::watcher
