// What commands tell the person who called them: messages on stderr, answers on stdout. Nothing
// else writes there (scripts/lint-structure looks), so that foreign text has one way out.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "watcher/report/shown.h"

namespace caravel::formatter {
class StyledText;
}

namespace caravel::watcher {

/// Writes `text` on stderr in one write(2). That stderr takes nothing (a reader that closed its end
/// of a pipe, a full disk) is no reason to stop, and nobody is left to be told.
void write_to_stderr(std::string_view text);

/// One message on stderr: "caravel: " and one line, its values escaped and bounded
/// (watcher/report/shown.h).
template <class... Values>
void say(fmt::format_string<Values...> format, Values&&... values) {
  write_to_stderr("caravel: " + format_shown(format, std::forward<Values>(values)...) + "\n");
}

/// An answer on stdout, of several lines perhaps. What a terminal could take for a command is
/// escaped; line ends are ours, so whoever makes the text has escaped those of foreign values
/// (add_fact, add_table, format_shown). Errors: stdout takes nothing, because its reader is gone
/// (EPIPE) or its disk is full.
[[nodiscard]] Result<> print(std::string_view text);

/// The same with colours, if stdout is a terminal, its type is not "dumb" (terminfo(5)) and nobody
/// has set NO_COLOR (https://no-color.org). No text can bring a control sequence of its own.
[[nodiscard]] Result<> print(const formatter::StyledText& text);

/// Whether stdout is a terminal on which text can be placed.
[[nodiscard]] bool stdout_is_screen();

/// The whole terminal, drawn again and again; what was on it comes back at the end.
class LiveScreen {
 public:
  /// stdout_is_screen() is to be asked before.
  LiveScreen();
  ~LiveScreen();
  LiveScreen(const LiveScreen&) = delete;
  LiveScreen& operator=(const LiveScreen&) = delete;

  /// Takes the place of what was drawn before. No more lines than rows(), none wider than the
  /// terminal. Errors: as for print().
  [[nodiscard]] Result<> draw(const formatter::StyledText& text);
  [[nodiscard]] static std::size_t rows();
};

/// How many columns the terminal has that stdout is; `otherwise` if it is none.
[[nodiscard]] std::size_t columns_of_stdout(std::size_t otherwise);
/// The same of stderr.
[[nodiscard]] std::size_t columns_of_stderr(std::size_t otherwise);

}  // namespace caravel::watcher
