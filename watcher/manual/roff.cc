#include "watcher/manual/roff.h"

#include <algorithm>
#include <cctype>
#include <cstdint>

#include <fmt/format.h>

namespace caravel::watcher {
namespace {

/// groff(1) takes longer ones, mandoc(1) finds them bad style.
constexpr std::size_t kLineBytes = 78;

/// The next character of UTF-8 and its bytes. The texts are our own, and are whole.
std::pair<char32_t, std::size_t> next_character(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  const std::size_t bytes = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  if (bytes == 1 || text.size() < bytes) return {first, 1};
  char32_t value = first & (0x7FU >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    value = (value << 6) | (static_cast<unsigned char>(text[i]) & 0x3FU);
  }
  return {value, bytes};
}

/// What groff_char(7) says for characters that it would show as others.
std::string_view glyph_of(char c, bool code) {
  switch (c) {
    case '\\':
      return "\\e";
    case '^':
      return "\\(ha";
    case '~':
      return "\\(ti";
    case '`':
      return "\\(ga";
    case '\'':
      return code ? "\\(aq" : "";
    case '-':
      return code ? "\\-" : "";
    default:
      return "";
  }
}

/// A line that begins with one of these would be a request.
std::string guarded(std::string line) {
  if (line.starts_with('.') || line.starts_with('\'')) line.insert(0, "\\&");
  return line;
}

/// Marks of Markdown turned into those of man(7).
class Inline {
 public:
  explicit Inline(std::string_view text) : rest_(text) {}

  std::string roff() {
    while (!rest_.empty()) {
      if (!code() && !link() && !emphasis()) plain();
    }
    flush();
    return std::move(out_);
  }

 private:
  void flush() {
    out_ += roff_escaped(plain_, false);
    plain_.clear();
  }
  void plain() {
    // An escaped mark: "\|" in a table.
    if (rest_.size() > 1 && rest_[0] == '\\' && std::ispunct(rest_[1])) rest_.remove_prefix(1);
    plain_ += rest_.front();
    rest_.remove_prefix(1);
  }
  bool code() {
    if (!rest_.starts_with('`')) return false;
    const std::string_view fence = rest_.starts_with("``") ? "``" : "`";
    const std::size_t end = rest_.find(fence, fence.size());
    if (end == std::string_view::npos) return false;
    flush();
    std::string words(rest_.substr(fence.size(), end - fence.size()));
    for (std::size_t at; (at = words.find("\\|")) != std::string::npos;) words.erase(at, 1);
    out_ += "\\fB" + roff_escaped(words, true) + "\\fR";
    rest_.remove_prefix(end + fence.size());
    return true;
  }
  bool emphasis() {
    const std::string_view mark = rest_.starts_with("**") ? "**" : "*";
    if (!rest_.starts_with(mark) || rest_.size() <= mark.size()) return false;
    const std::size_t end = rest_.find(mark, mark.size());
    const std::string_view inner =
        end == std::string_view::npos ? "" : rest_.substr(mark.size(), end - mark.size());
    if (inner.empty() || std::isspace(static_cast<unsigned char>(inner.front())) != 0) return false;
    flush();
    out_ += (mark == "**" ? "\\fB" : "\\fI") + roff_escaped(inner, false) + "\\fR";
    rest_.remove_prefix(end + mark.size());
    return true;
  }
  bool link() {
    if (!rest_.starts_with('[')) return false;
    const std::size_t middle = rest_.find("](");
    const std::size_t end = rest_.find(')', middle == std::string_view::npos ? 0 : middle);
    if (middle == std::string_view::npos || end == std::string_view::npos) return false;
    if (rest_.substr(1, middle - 1).find_first_of("[]") != std::string_view::npos) return false;
    flush();
    const std::string_view to = rest_.substr(middle + 2, end - middle - 2);
    out_ += Inline(rest_.substr(1, middle - 1)).roff();
    if (to.starts_with("http")) out_ += " (" + roff_escaped(to, true) + ")";
    rest_.remove_prefix(end + 1);
    return true;
  }

  std::string_view rest_;
  std::string plain_;  // read, and not yet in out_
  std::string out_;
};

}  // namespace

std::string roff_escaped(std::string_view text, bool code) {
  std::string out;
  while (!text.empty()) {
    const auto [character, bytes] = next_character(text);
    const std::string_view glyph = bytes == 1 ? glyph_of(text[0], code) : std::string_view();
    if (bytes > 1) {
      out += fmt::format("\\[u{:04X}]", static_cast<std::uint32_t>(character));
    } else if (glyph.empty()) {
      out += text[0];
    } else {
      out += glyph;
    }
    text.remove_prefix(bytes);
  }
  return out;
}

Roff::Roff(std::string_view name, char section, std::string_view date, std::string_view source) {
  std::string title(name);
  std::transform(title.begin(), title.end(), title.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  line(fmt::format(R"(.TH {} {} {} "{}")", title, section, date, source));
}

void Roff::name(std::string_view name, std::string_view about) {
  heading("NAME");
  line(fmt::format("{} \\- {}", roff_escaped(name, true), roff_escaped(about, false)));
  fresh_ = false;
}

void Roff::heading(std::string_view text) {
  line(".SH " + Inline(text).roff());
  fresh_ = true;
}

void Roff::subheading(std::string_view text) {
  line(".SS " + Inline(text).roff());
  fresh_ = true;
}

void Roff::paragraph(std::string_view text) {
  if (!fresh_) line(".PP");
  fill(text);
  fresh_ = false;
}

void Roff::tagged(std::string_view tag, std::string_view text, bool code) {
  line(".TP");
  line(guarded(code ? "\\fB" + roff_escaped(tag, true) + "\\fR" : Inline(tag).roff()));
  fill(text);
  fresh_ = false;
}

void Roff::item(std::string_view mark, std::string_view text) {
  line(mark == "-" ? std::string(R"(.IP \(bu 2)") : fmt::format(".IP {} 4", mark));
  fill(text);
  fresh_ = false;
}

void Roff::verbatim(const std::vector<std::string_view>& lines) {
  if (!fresh_) line(".PP");
  line(".RS 4");
  line(".EX");
  for (const std::string_view text : lines) line(guarded(roff_escaped(text, true)));
  line(".EE");
  line(".RE");
  fresh_ = false;
}

void Roff::fill(std::string_view text) {
  const std::string marked = Inline(text).roff();
  std::string current;
  for (std::string_view rest = marked; !rest.empty();) {
    const std::string_view word = rest.substr(0, rest.find(' '));
    rest.remove_prefix(std::min(word.size() + 1, rest.size()));
    if (word.empty()) continue;
    if (!current.empty() && current.size() + 1 + word.size() > kLineBytes) {
      line(guarded(std::move(current)));
      current.clear();
    }
    if (!current.empty()) current += ' ';
    current += word;
  }
  if (!current.empty()) line(guarded(std::move(current)));
}

}  // namespace caravel::watcher
