#include "base/words/option_help.h"

#include <algorithm>

namespace caravel {
namespace {

constexpr std::size_t kColumns = 80;
/// Where the explanations begin: most heads are shorter, and get their explanation beside them.
constexpr std::size_t kIndent = 23;

/// Columns that UTF-8 takes: continuation bytes take none. Help has no wide characters.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) >> 6) != 2; }));
}

/// Appends the words of `text`, where the line has `indent` columns already, as those that follow.
void append_wrapped(std::string& out, std::size_t indent, std::string_view text) {
  std::size_t column = indent;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    const std::size_t width = width_of(word);
    if (column > indent && column + 1 + width > kColumns) {
      out += '\n';
      out.append(indent, ' ');
      column = indent;
    } else if (column > indent) {
      out += ' ';
      ++column;
    }
    out += word;
    column += width;
  }
  out += '\n';
}

}  // namespace

std::string_view OptionHelp::letter() const {
  const std::size_t comma = name.find(',');
  return comma == std::string_view::npos ? std::string_view() : name.substr(comma + 1);
}

std::string OptionHelp::head() const {
  std::string out;
  if (!letter().empty()) out += "-" + std::string(letter()) + ", ";
  out += "--" + std::string(long_name());
  if (!value.empty()) out += " " + std::string(value);
  return out;
}

std::string wrapped(std::string_view text) {
  std::string out;
  std::string paragraph;
  const auto end_paragraph = [&] {
    if (!paragraph.empty()) append_wrapped(out, 0, paragraph);
    paragraph.clear();
  };
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.empty() || line.find("  ") != std::string_view::npos) {
      end_paragraph();
      (out += line) += '\n';
    } else {
      if (!paragraph.empty()) paragraph += ' ';
      paragraph += line;
    }
  }
  end_paragraph();
  return out;
}

std::string option_lines(const std::vector<OptionHelp>& options) {
  std::string out;
  for (const OptionHelp& option : options) {
    const std::string head = "  " + option.head();
    out += head;
    const std::size_t width = width_of(head);
    if (width + 1 > kIndent) out += '\n';
    out.append(width + 1 > kIndent ? kIndent : kIndent - width, ' ');
    append_wrapped(out, kIndent, option.help);
  }
  return out;
}

}  // namespace caravel
