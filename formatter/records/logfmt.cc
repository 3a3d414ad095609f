#include "formatter/records/logfmt.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace caravel::formatter {
namespace {

/// A stray control character ends nothing: tabs stand between pairs as blanks do.
bool is_between(char c) { return c == ' ' || c == '\t'; }

/// The escape behind a backslash, for what is no JSON string: log/slog quotes as Go does, \x1b and
/// \a, and those stay as they stand.
std::string undo_escapes(std::string_view quoted) {
  std::string text;
  for (std::size_t i = 0; i < quoted.size(); ++i) {
    const char next = quoted[i] == '\\' && i + 1 < quoted.size() ? quoted[i + 1] : '\0';
    switch (next) {
      case '"':
      case '\\':
        text.push_back(next);
        break;
      case 'n':
        text.push_back('\n');
        break;
      case 't':
        text.push_back('\t');
        break;
      case 'r':
        text.push_back('\r');
        break;
      default:
        text.push_back(quoted[i]);
        continue;
    }
    ++i;
  }
  return text;
}

/// The text of a string; `quoted` with its quotes.
std::string text_of(std::string_view quoted) {
  const auto json = nlohmann::json::parse(quoted, nullptr, false);
  if (json.is_string()) return json.get<std::string>();
  return undo_escapes(quoted.substr(1, quoted.size() - 2));
}

/// Takes one line apart, pair by pair.
class LogfmtLine {
 public:
  explicit LogfmtLine(std::string_view line) : line_(line) {}

  /// Whether there is another pair.
  bool more() {
    while (at_ < line_.size() && is_between(line_[at_])) ++at_;
    return at_ < line_.size();
  }

  Result<JsonMember> pair() {
    const std::size_t begin = at_;
    while (at_ < line_.size() && line_[at_] > ' ' && line_[at_] != '=' && line_[at_] != '"') ++at_;
    const std::string_view key = line_.substr(begin, at_ - begin);
    if (key.empty()) return fail(ErrorKind::content, fmt::format("expected a key at byte {}", at_));
    if (at_ == line_.size() || line_[at_] != '=') {
      return fail(ErrorKind::content, fmt::format("expected = at byte {}", at_));
    }
    ++at_;
    if (at_ < line_.size() && line_[at_] == '"') return quoted(key);
    return bare(key);
  }

 private:
  Result<JsonMember> quoted(std::string_view key) {
    const std::size_t begin = at_++;
    while (at_ < line_.size() && line_[at_] != '"') at_ += line_[at_] == '\\' ? 2 : 1;
    if (at_ >= line_.size()) {
      return fail(ErrorKind::content, fmt::format("no end of the string at byte {}", begin));
    }
    ++at_;
    if (at_ < line_.size() && !is_between(line_[at_])) {
      return fail(ErrorKind::content, fmt::format("expected a blank at byte {}", at_));
    }
    return string_member(std::string(key), text_of(line_.substr(begin, at_ - begin)));
  }

  Result<JsonMember> bare(std::string_view key) {
    const std::size_t begin = at_;
    while (at_ < line_.size() && !is_between(line_[at_]) && line_[at_] != '"') ++at_;
    if (at_ < line_.size() && line_[at_] == '"') {
      return fail(ErrorKind::content, fmt::format("a quote inside a value at byte {}", at_));
    }
    return bare_member(std::string(key), std::string(line_.substr(begin, at_ - begin)));
  }

  std::string_view line_;
  std::size_t at_ = 0;
};

}  // namespace

Result<std::vector<JsonMember>> read_logfmt(std::string_view line, std::size_t most_members) {
  std::vector<JsonMember> members;
  LogfmtLine pairs(line);
  while (pairs.more()) {
    if (members.size() == most_members) {
      return fail(ErrorKind::content, fmt::format("over {} pairs", most_members));
    }
    CARAVEL_ASSIGN_OR_RETURN(auto member, pairs.pair());
    members.push_back(std::move(member));
  }
  return members;
}

}  // namespace caravel::formatter
