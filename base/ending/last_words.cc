#include "base/ending/last_words.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <new>

namespace caravel {
namespace {

// A terminate handler gets no argument, so the name must be reachable from everywhere.
const char* program_name = "caravel";

std::string_view copy_to(char* buffer, std::size_t size, std::string_view text) noexcept {
  const std::size_t length = std::min(size, text.size());
  std::memcpy(buffer, text.data(), length);
  return {buffer, length};
}

[[noreturn]] void end_with_last_words() {
  char buffer[kMostLastWords];
  say_last_words(program_name, words_of_exception(buffer, sizeof buffer));
  // Not abort(3): a supervisor then sees an exit code that is documented, and not a signal. Not
  // exit(3) either: other threads still use what its handlers would destroy.
  ::_exit(kExitOfException);
}

}  // namespace

std::string_view words_of_exception(char* buffer, std::size_t size) noexcept {
  const std::exception_ptr current = std::current_exception();
  if (!current) return copy_to(buffer, size, "ended by std::terminate() without an exception");
  try {
    std::rethrow_exception(current);
  } catch (const std::bad_alloc&) {
    return copy_to(buffer, size, kOutOfMemory);
  } catch (const std::exception& exception) {
    constexpr std::string_view kIntroduction = "ended by an exception: ";
    const std::size_t start = copy_to(buffer, size, kIntroduction).size();
    return {buffer, start + copy_to(buffer + start, size - start, exception.what()).size()};
  } catch (...) {
    return copy_to(buffer, size, "ended by an exception of an unknown type");
  }
}

void say_last_words(std::string_view program, std::string_view what) noexcept {
  char line[kMostLastWords + 100];
  std::size_t length = copy_to(line, 50, program).size();
  length += copy_to(line + length, 2, ": ").size();
  const std::string_view words = copy_to(line + length, kMostLastWords, what);
  // What an exception says may hold a name that a sender chose. Only ASCII is kept: to tell good
  // UTF-8 from bad is more than a program at its end should try.
  std::replace_if(
      line + length, line + length + words.size(), [](char c) { return c < ' ' || c > '~'; }, '?');
  length += words.size();
  line[length++] = '\n';
  // One write(2), so that the lines of several threads do not mix. Nobody is left to hear of a
  // failure.
  [[maybe_unused]] const ssize_t put = ::write(STDERR_FILENO, line, length);
}

void install_last_words(const char* program) {
  program_name = program;
  std::set_terminate(end_with_last_words);
}

}  // namespace caravel
