#include "watcher/serve/page/commands_to_copy.h"

#include <algorithm>

#include "base/text.h"

namespace caravel::watcher {

std::string shell_word(std::string_view text) {
  const auto plain = [](char c) {
    return is_digit(c) || is_letter(c) ||
           std::string_view("._-/:@%+,").find(c) != std::string::npos;
  };
  if (!text.empty() && std::ranges::all_of(text, plain)) return std::string(text);
  // In single quotes everything stands for itself, but the single quote (POSIX, 2.2.2).
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + "'";
}

std::string shell_command(std::string_view command, const std::string& config,
                          const std::vector<std::string>& arguments) {
  std::string out = "caravel " + std::string(command);
  if (config != "/etc/caravel/caravel.yaml") out += " --config " + shell_word(config);
  const bool like_option = std::ranges::any_of(
      arguments, [](const std::string& argument) { return argument.starts_with('-'); });
  if (like_option) out += " --";
  for (const std::string& argument : arguments) out += " " + shell_word(argument);
  return out;
}

std::string operand_of(const Extract& extract) {
  if (shown(extract.name) == extract.name) return extract.name;
  constexpr std::size_t kEnough = 16;
  return extract.sha256.substr(0, kEnough);
}

}  // namespace caravel::watcher
