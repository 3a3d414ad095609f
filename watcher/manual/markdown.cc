// Pages of docs/ in a manual page: as much of Markdown as they use.
#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>
#include <vector>

#include "watcher/manual/roff.h"

namespace caravel::watcher {
namespace {

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::string_view trimmed_blanks(std::string_view text) {
  const std::size_t first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

/// "- " or "1. " at its beginning; "" if there is none.
std::string_view list_mark(std::string_view line) {
  if (line.starts_with("- ")) return "-";
  std::size_t digits = 0;
  while (digits < line.size() && std::isdigit(static_cast<unsigned char>(line[digits])) != 0) {
    ++digits;
  }
  const bool numbered = digits > 0 && line.substr(digits).starts_with(". ");
  return numbered ? line.substr(0, digits + 1) : std::string_view();
}

bool is_code(std::string_view line) { return line.starts_with("    "); }
bool is_table(std::string_view line) { return line.starts_with('|'); }
bool begins_block(std::string_view line) {
  return line.empty() || line.starts_with('#') || line.starts_with("```") || is_table(line) ||
         !list_mark(line).empty();
}

/// The cells of a row; "\|" is no border.
std::vector<std::string> cells_of(std::string_view row) {
  std::vector<std::string> cells;
  std::string cell;
  for (std::size_t i = 1; i < row.size(); ++i) {
    if (row[i] == '|' && row[i - 1] != '\\') {
      cells.emplace_back(trimmed_blanks(cell));
      cell.clear();
    } else {
      cell += row[i];
    }
  }
  return cells;
}

/// Goes through the lines block by block.
class Pages {
 public:
  Pages(Roff& page, std::string_view markdown) : page_(page), lines_(lines_of(markdown)) {}

  void add() {
    while (at_ < lines_.size()) {
      const std::string_view line = lines_[at_];
      if (line.empty() || line.starts_with("# ")) {
        ++at_;
      } else if (line.starts_with("## ")) {
        page_.heading(line.substr(3));
        ++at_;
      } else if (line.starts_with("### ")) {
        page_.subheading(line.substr(4));
        ++at_;
      } else if (line.starts_with("```")) {
        fenced();
      } else if (is_code(line)) {
        indented();
      } else if (is_table(line)) {
        table();
      } else if (!list_mark(line).empty()) {
        item();
      } else {
        page_.paragraph(joined(line));
      }
    }
  }

 private:
  /// The text that begins with `first` and goes on in the next lines.
  std::string joined(std::string_view first) {
    std::string text(trimmed_blanks(first));
    for (++at_; at_ < lines_.size() && !begins_block(lines_[at_]); ++at_) {
      (text += ' ') += trimmed_blanks(lines_[at_]);
    }
    return text;
  }
  void fenced() {
    std::vector<std::string_view> code;
    for (++at_; at_ < lines_.size() && !lines_[at_].starts_with("```"); ++at_) {
      code.push_back(lines_[at_]);
    }
    ++at_;
    page_.verbatim(code);
  }
  void indented() {
    std::vector<std::string_view> code;
    for (; at_ < lines_.size() && (is_code(lines_[at_]) || lines_[at_].empty()); ++at_) {
      code.push_back(lines_[at_].substr(std::min<std::size_t>(4, lines_[at_].size())));
    }
    while (code.back().empty()) code.pop_back();
    page_.verbatim(code);
  }
  /// A row is a tagged paragraph. With more than two columns, each cell says its column.
  void table() {
    const std::vector<std::string> head = cells_of(lines_[at_]);
    for (at_ += 2; at_ < lines_.size() && is_table(lines_[at_]); ++at_) {
      const std::vector<std::string> cells = cells_of(lines_[at_]);
      std::string text;
      for (std::size_t i = 1; i < cells.size(); ++i) {
        if (cells[i].empty()) continue;
        if (!text.empty()) text += "; ";
        if (cells.size() > 2 && i < head.size() && !head[i].empty()) text += head[i] + ": ";
        text += cells[i];
      }
      // A tag is one line; a cell that is a sentence needs more.
      constexpr std::size_t kMostOfTag = 60;
      if (!cells.empty() && cells[0].size() > kMostOfTag) {
        page_.item("-", cells[0] + (text.empty() ? "" : ": " + text));
      } else {
        page_.tagged(cells.empty() ? "" : cells[0], text, false);
      }
    }
  }
  void item() {
    const std::string_view mark = list_mark(lines_[at_]);
    page_.item(mark, joined(lines_[at_].substr(mark.size() + 1)));
  }

  Roff& page_;
  std::vector<std::string_view> lines_;
  std::size_t at_ = 0;
};

}  // namespace

void add_markdown(Roff& page, std::string_view markdown) { Pages(page, markdown).add(); }

}  // namespace caravel::watcher
