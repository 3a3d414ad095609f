#include "base/excerpt.h"

#include <clocale>
#include <cwchar>

#include <algorithm>
#include <vector>

#include "base/text.h"

namespace caravel {
namespace {

constexpr std::string_view kLeftOut = "…";

/// While it lives, this thread decodes UTF-8 and knows its widths, whatever the environment says:
/// C.UTF-8 is part of Debian's libc-bin. Where it is missing every character counts as one column.
class Utf8Locale {
 public:
  Utf8Locale() : utf8_(::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)) {
    if (utf8_ != nullptr) before_ = ::uselocale(utf8_);
  }
  ~Utf8Locale() {
    if (utf8_ == nullptr) return;
    ::uselocale(before_);
    ::freelocale(utf8_);
  }
  Utf8Locale(const Utf8Locale&) = delete;
  Utf8Locale& operator=(const Utf8Locale&) = delete;

  /// Of one whole UTF-8 character.
  [[nodiscard]] std::size_t columns(std::string_view character) const {
    if (character.size() == 1 || utf8_ == nullptr) return 1;
    std::mbstate_t state{};
    wchar_t wide = 0;
    const std::size_t taken = std::mbrtowc(&wide, character.data(), character.size(), &state);
    const int columns = taken == character.size() ? ::wcwidth(wide) : 1;
    // A character that the table does not know yet: most terminals give it one column.
    return columns < 0 ? 1 : static_cast<std::size_t>(columns);
  }

  [[nodiscard]] std::size_t columns_of_text(std::string_view text) const {
    std::size_t columns_of_all = 0;
    while (!text.empty()) {
      const std::size_t length = std::max<std::size_t>(utf8_length(text), 1);
      columns_of_all += columns(text.substr(0, length));
      text.remove_prefix(length);
    }
    return columns_of_all;
  }

 private:
  locale_t utf8_;
  locale_t before_{};
};

/// One character, or a byte that begins none.
struct Shown {
  std::string text;  // as printable() has it
  std::size_t bytes = 0;
  std::size_t columns = 0;
};

Shown shown_at(std::string_view line, std::size_t at, const Utf8Locale& locale) {
  const std::size_t bytes = std::max<std::size_t>(utf8_length(line.substr(at)), 1);
  Shown shown{printable(line.substr(at, bytes)), bytes, 0};
  shown.columns = locale.columns_of_text(shown.text);
  return shown;
}

/// Where the character begins that ends at `end`.
std::size_t begin_of_character(std::string_view line, std::size_t end) {
  for (std::size_t bytes = 4; bytes > 1; --bytes) {
    if (bytes <= end && utf8_length(line.substr(end - bytes, bytes)) == bytes) return end - bytes;
  }
  return end - 1;
}

/// The first character of `line` that may be shown if at most `most` columns stand before `at`.
std::size_t first_shown(std::string_view line, std::size_t at, std::size_t most,
                        const Utf8Locale& locale) {
  std::size_t columns = 0;
  std::size_t begin = at;
  while (begin > 0) {
    const std::size_t earlier = begin_of_character(line, begin);
    columns += shown_at(line, earlier, locale).columns;
    if (columns > most) break;
    begin = earlier;
  }
  return begin;
}

/// Characters of `text` from its start (or, `from_end`, from its end), `most` columns at most.
std::string some_of(const std::vector<Shown>& text, std::size_t most, bool from_end) {
  std::string out;
  std::size_t columns = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const Shown& next = text[from_end ? text.size() - 1 - i : i];
    columns += next.columns;
    if (columns > most) break;
    out = from_end ? next.text + out : out + next.text;
  }
  return out;
}

}  // namespace

std::size_t columns_of(std::string_view text) { return Utf8Locale().columns_of_text(text); }

std::string abbreviated(std::string_view text, std::size_t most) {
  const Utf8Locale locale;
  // A third for the end, a column for the "…". Of a long text only as many bytes are looked at as
  // may be shown; four are the most of one character, and a few may take no column.
  const std::size_t tail = most / 3;
  const std::size_t head = most - tail - 1;
  const auto characters = [&](std::string_view part) {
    std::vector<Shown> shown;
    for (std::size_t at = 0; at < part.size(); at += shown.back().bytes) {
      shown.push_back(shown_at(part, at, locale));
    }
    return shown;
  };
  if (text.size() <= most * 8) {
    const auto all = characters(text);
    std::size_t columns = 0;
    for (const Shown& one : all) columns += one.columns;
    if (columns <= most) return printable(text);
    return some_of(all, head, false) + std::string(kLeftOut) + some_of(all, tail, true);
  }
  const std::size_t end = text.size() - first_shown(text, text.size(), tail, locale);
  return some_of(characters(text.substr(0, head * 4)), head, false) + std::string(kLeftOut) +
         printable(text.substr(text.size() - end));
}

Excerpt excerpt_of(std::string_view line, std::size_t at, std::size_t length, std::size_t most) {
  const Utf8Locale locale;
  at = std::min(at, line.size());
  // Two thirds before the place: what a line says there explains more often what was expected.
  std::size_t begin = first_shown(line, at, most * 2 / 3, locale);
  // A line that fits is shown whole, wherever the place is.
  if (begin > 0 && line.size() <= most * 4 && columns_of(printable(line)) <= most) begin = 0;
  Excerpt excerpt;
  if (begin > 0) excerpt.text = kLeftOut;
  std::size_t columns = begin > 0 ? 1 : 0;
  std::size_t place_ends = 0;
  for (std::size_t i = begin; i < line.size();) {
    const Shown next = shown_at(line, i, locale);
    // One column stays free for the "…" that says that more follows.
    const bool last = i + next.bytes == line.size();
    if (i >= at && columns + next.columns + (last ? 0 : 1) > most) {
      excerpt.text += kLeftOut;
      break;
    }
    if (i <= at) excerpt.column = columns;
    excerpt.text += next.text;
    columns += next.columns;
    i += next.bytes;
    if (i <= at + length) place_ends = columns;
  }
  if (at == line.size()) excerpt.column = columns;
  if (place_ends > excerpt.column) excerpt.columns = place_ends - excerpt.column;
  return excerpt;
}

}  // namespace caravel
