#include "watcher/service/console.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>

#include "base/file.h"
#include "formatter/explain/styled_text.h"

namespace caravel::watcher {
namespace {

using formatter::Style;

bool has_text(const char* variable) {
  const char* const value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

bool stdout_has_colours() { return stdout_is_screen() && !has_text("NO_COLOR"); }

/// Select Graphic Rendition (ECMA-48, 8.3.117): colours that can be read on black and on white.
std::string_view colour_of(Style style) {
  switch (style) {
    case Style::plain:
      break;
    case Style::heading:
      return "\033[1m";
    case Style::good:
      return "\033[32m";
    case Style::faint:
      return "\033[2m";
    case Style::bad:
      return "\033[31m";
    case Style::name:
      return "\033[36m";
    case Style::mark:
      return "\033[1;31m";
  }
  return "";
}

std::string coloured(const formatter::StyledText& text) {
  const bool colours = stdout_has_colours();
  std::string out;
  for (const auto& [style, part] : text.parts()) {
    const std::string_view colour = colours ? colour_of(style) : "";
    out += colour;
    out += printable_lines(part);
    if (!colour.empty()) out += "\033[0m";
  }
  return out;
}

/// ioctl_tty(2), TIOCGWINSZ.
std::size_t columns_of(int terminal, std::size_t otherwise) {
  struct winsize size {};
  if (::ioctl(terminal, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return otherwise;
  return size.ws_col;
}

Result<> write_to_stdout(std::string_view text) {
  // write(2) and not the buffer of <cstdio>: that one tells of a full disk only when the program
  // has ended, and then nobody looks.
  auto written = write_all(STDOUT_FILENO, text);
  if (!written) return tl::unexpected(with_context("stdout", std::move(written).error()));
  return {};
}

}  // namespace

void write_to_stderr(std::string_view text) { (void)write_all(STDERR_FILENO, text); }

Result<> print(std::string_view text) { return write_to_stdout(printable_lines(text)); }

Result<> print(const formatter::StyledText& text) { return write_to_stdout(coloured(text)); }

bool stdout_is_screen() {
  const char* const terminal = std::getenv("TERM");
  const bool dumb = terminal == nullptr || std::string_view(terminal) == "dumb";
  return ::isatty(STDOUT_FILENO) == 1 && !dumb;
}

// The control sequences are those of every terminal since the VT100 (ECMA-48), and xterm's second
// screen (?1049).
LiveScreen::LiveScreen() { (void)write_to_stdout("\033[?1049h\033[?25l"); }

LiveScreen::~LiveScreen() { (void)write_to_stdout("\033[?25h\033[?1049l"); }

Result<> LiveScreen::draw(const formatter::StyledText& text) {
  // Each line takes the place of an old one, and its rest is erased: nothing flickers. Raw mode is
  // not used, so "\n" goes to the first column.
  constexpr std::string_view kEraseRest = "\033[K";
  std::string out = "\033[H";
  for (const char c : coloured(text)) {
    if (c == '\n') out += kEraseRest;
    out += c;
  }
  // The last line end would scroll a full screen.
  if (out.ends_with('\n')) out.pop_back();
  return write_to_stdout(out + "\033[J");
}

std::size_t LiveScreen::rows() {
  constexpr std::size_t kUsual = 24;
  struct winsize size {};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0) return kUsual;
  return size.ws_row;
}

std::size_t columns_of_stdout(std::size_t otherwise) {
  return columns_of(STDOUT_FILENO, otherwise);
}

std::size_t columns_of_stderr(std::size_t otherwise) {
  return columns_of(STDERR_FILENO, otherwise);
}

}  // namespace caravel::watcher
