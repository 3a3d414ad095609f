// Invented logs: lines made of templates, the same ones in each run.
#pragma once

#include <ctime>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

namespace caravel::test {

/// Replaces in a template
///   {t:FORMAT}   the line's time (strftime(3), UTC; %L is milliseconds): the first line's is
///                2024-03-09 09:48:00.000, each next one is some seconds later
///   {n:LO-HI}    a number
///   {p:A|B|C}    one of the texts, which may hold no braces
///   {ip} {uuid}
/// Other braces stand for themselves.
class LineMaker {
 public:
  /// `count` lines, each made of one of `templates`, the first of the first.
  std::string Lines(const std::vector<std::string>& templates, std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) {
      text += Line(i == 0 ? templates[0] : templates[Below(templates.size())]) + "\n";
      seconds_ += static_cast<std::time_t>(1 + Below(9));
      milliseconds_ = Below(1000);
    }
    return text;
  }

 private:
  std::size_t Below(std::size_t end) { return random_() % end; }

  std::string Line(std::string_view pattern) {
    std::string line;
    for (;;) {
      const std::size_t open = pattern.find('{');
      line += pattern.substr(0, open);
      if (open == pattern.npos) return line;
      pattern.remove_prefix(open);
      const bool known = pattern.starts_with("{t:") || pattern.starts_with("{n:") ||
                         pattern.starts_with("{p:") || pattern.starts_with("{ip}") ||
                         pattern.starts_with("{uuid}");
      const std::size_t length = known ? pattern.find('}') + 1 : 1;
      line += known ? Value(pattern.substr(1, length - 2)) : "{";
      pattern.remove_prefix(length);
    }
  }

  std::string Value(std::string_view what) {
    if (what == "ip") return fmt::format("192.0.2.{}", 1 + Below(40));
    if (what == "uuid") {
      return fmt::format("{:08x}-7dec-11d0-a765-{:012x}", random_(), random_());
    }
    const std::string_view argument = what.substr(2);
    switch (what[0]) {
      case 't':
        return Time(std::string(argument));
      case 'n': {
        const std::size_t dash = argument.find('-', 1);
        const int low = std::stoi(std::string(argument.substr(0, dash)));
        const int high = std::stoi(std::string(argument.substr(dash + 1)));
        return std::to_string(low +
                              static_cast<int>(Below(static_cast<std::size_t>(high - low + 1))));
      }
      default: {
        std::vector<std::string_view> choices;
        for (std::string_view left = argument;;) {
          const std::size_t bar = left.find('|');
          choices.push_back(left.substr(0, bar));
          if (bar == left.npos) break;
          left.remove_prefix(bar + 1);
        }
        return std::string(choices[Below(choices.size())]);
      }
    }
  }

  std::string Time(std::string format) const {
    const std::size_t at = format.find("%L");
    if (at != format.npos) format.replace(at, 2, fmt::format("{:03}", milliseconds_));
    std::tm parts{};
    ::gmtime_r(&seconds_, &parts);
    char text[100];
    return {text, std::strftime(text, sizeof text, format.c_str(), &parts)};
  }

  std::mt19937 random_{20240309};
  std::time_t seconds_ = 1709977680;
  std::size_t milliseconds_ = 0;
};

}  // namespace caravel::test
