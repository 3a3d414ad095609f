// A manual page as it is written: man(7), in the dialect that both groff and mandoc take without a
// word.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace caravel::watcher {

/// Texts are Markdown's inline marks: `code` is bold, *emphasis* is italic, [a link](to) keeps its
/// words and, if it leads to the web, its address. All else is escaped; lines are wrapped.
class Roff {
 public:
  /// `date`: 2026-12-01. `source`: "caravel 0.1.0".
  Roff(std::string_view name, char section, std::string_view date, std::string_view source);

  /// The first section, which programs read too: lexgrog(1), whatis(1).
  void name(std::string_view name, std::string_view about);
  void heading(std::string_view text);
  void subheading(std::string_view text);
  void paragraph(std::string_view text);
  /// A paragraph whose first line is `tag`. With `code` all of the tag is bold.
  void tagged(std::string_view tag, std::string_view text, bool code);
  /// An item of a list; `mark` is "-", or "1.".
  void item(std::string_view mark, std::string_view text);
  /// Lines as they are.
  void verbatim(const std::vector<std::string_view>& lines);

  [[nodiscard]] const std::string& text() const { return out_; }

 private:
  void line(std::string_view text) { (out_ += text) += '\n'; }
  void fill(std::string_view text);

  std::string out_;
  bool fresh_ = true;  // behind a heading, where man(7) wants no .PP
};

/// One piece of text without marks, escaped: `code` also keeps what typographers would turn.
[[nodiscard]] std::string roff_escaped(std::string_view text, bool code);

/// Appends a page of docs/ behind its title: headings, paragraphs, lists, tables (a tagged
/// paragraph a row), code.
void add_markdown(Roff& page, std::string_view markdown);

}  // namespace caravel::watcher
