#include "uploader/sqlite/table_definition.h"

#include <algorithm>

#include "base/text.h"
#include "uploader/column_names.h"

namespace caravel::uploader {
namespace {

/// A token of SQL: a slice of the statement. Only what tells column definitions apart is told
/// apart: words, quoted names and texts, and single other bytes.
struct SqlToken {
  std::size_t begin = 0;
  std::string_view text;  // with its quotes; empty behind the last
};

/// Blanks and comments count as nothing (sqlite.org/lang_comment.html).
class SqlTokens {
 public:
  explicit SqlTokens(std::string_view sql) : sql_(sql) {}

  SqlToken next() {
    skip_blanks();
    const std::size_t begin = at_;
    if (at_ < sql_.size()) at_ = end_of_token();
    return {begin, sql_.substr(begin, at_ - begin)};
  }

 private:
  [[nodiscard]] bool begins(std::string_view text) const {
    return sql_.substr(at_, text.size()) == text;
  }

  /// Just behind the next `mark` at or behind `from`; the end if there is none.
  [[nodiscard]] std::size_t behind(std::string_view mark, std::size_t from) const {
    const std::size_t found = sql_.find(mark, from);
    return found == std::string_view::npos ? sql_.size() : found + mark.size();
  }

  void skip_blanks() {
    for (;;) {
      if (at_ < sql_.size() && is_blank(sql_[at_])) {
        ++at_;
      } else if (begins("--")) {
        at_ = behind("\n", at_);
      } else if (begins("/*")) {
        at_ = behind("*/", at_ + 2);
      } else {
        return;
      }
    }
  }

  static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
  }

  static bool is_word(char c) {
    return is_letter(c) || is_digit(c) || c == '_' || c == '$' ||
           static_cast<unsigned char>(c) >= 0x80;
  }

  [[nodiscard]] std::size_t end_of_token() const {
    const char first = sql_[at_];
    if (first == '[') return behind("]", at_);
    if (first == '"' || first == '\'' || first == '`') {
      std::size_t end = behind({&first, 1}, at_ + 1);
      // A quote that stands twice is one of the name, which goes on behind it.
      while (end < sql_.size() && sql_[end] == first) end = behind({&first, 1}, end + 1);
      return end;
    }
    std::size_t end = at_;
    while (end < sql_.size() && is_word(sql_[end])) ++end;
    return std::max(end, at_ + 1);
  }

  std::string_view sql_;
  std::size_t at_ = 0;
};

/// The name that a token stands for, in lower case.
std::string name_in(std::string_view token) {
  const char quote = token.front();
  const bool quoted = token.size() >= 2 && (quote == '"' || quote == '`' || quote == '\'');
  if (quoted || (token.size() >= 2 && quote == '[')) token = token.substr(1, token.size() - 2);
  std::string name;
  for (std::size_t i = 0; i < token.size(); ++i) {
    name.push_back(token[i]);
    if (quoted && token[i] == quote) ++i;  // of a quote that stands twice, one
  }
  return folded_name(std::move(name));
}

}  // namespace

std::string without_text_type(std::string_view sql, const std::set<std::string>& columns) {
  std::string out;
  std::size_t copied = 0;
  SqlTokens tokens(sql);
  int depth = 0;
  int place = -1;    // of the token within its definition; -1 before the first parenthesis
  std::string name;  // of the column that is being defined
  for (SqlToken token = tokens.next(); !token.text.empty(); token = tokens.next()) {
    if (token.text == "(" && ++depth == 1) {
      place = 0;
      continue;
    }
    if (token.text == ")") --depth;
    if (depth != 1) continue;
    if (token.text == ",") {
      place = 0;
      continue;
    }
    if (place == 0) name = name_in(token.text);
    if (place == 1 && folded_name(std::string(token.text)) == "text" && columns.contains(name)) {
      out.append(sql, copied, token.begin - copied);
      copied = token.begin + token.text.size();
      // The blank in front of the type goes with it.
      if (!out.empty() && out.back() == ' ') out.pop_back();
    }
    if (place >= 0) ++place;
  }
  return out.append(sql.substr(copied));
}

}  // namespace caravel::uploader
