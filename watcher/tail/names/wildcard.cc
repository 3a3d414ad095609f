#include "watcher/tail/names/wildcard.h"

#include <cctype>
#include <optional>

namespace caravel::tail {
namespace {

/// A class of characters as it stands within a set: [[:digit:]_].
struct Class {
  std::string_view name;
  int (*holds)(int);
};
/// POSIX character classes (regex(7)). The agent never calls setlocale(3), so they are those of the
/// C locale.
constexpr Class kClasses[] = {
    {"[:alnum:]", std::isalnum}, {"[:alpha:]", std::isalpha}, {"[:blank:]", std::isblank},
    {"[:cntrl:]", std::iscntrl}, {"[:digit:]", std::isdigit}, {"[:graph:]", std::isgraph},
    {"[:lower:]", std::islower}, {"[:print:]", std::isprint}, {"[:punct:]", std::ispunct},
    {"[:space:]", std::isspace}, {"[:upper:]", std::isupper}, {"[:xdigit:]", std::isxdigit}};

/// Takes one character off the front of a set; a backslash before it makes it mean itself.
std::optional<unsigned char> take_character(std::string_view& set) {
  if (set.starts_with('\\')) set.remove_prefix(1);
  if (set.empty()) return std::nullopt;
  const auto character = static_cast<unsigned char>(set.front());
  set.remove_prefix(1);
  return character;
}

/// Takes a set, "[…]", off the front of `pattern` and returns whether the set holds `c`. A set
/// without an end takes nothing and returns nothing: its bracket means itself, as in fnmatch(3).
std::optional<bool> take_set(std::string_view& pattern, unsigned char c) {
  std::string_view set = pattern.substr(1);
  const bool negated = set.starts_with('!') || set.starts_with('^');
  if (negated) set.remove_prefix(1);
  bool holds = false;
  // A ']' at the first place belongs to the set: "[]x]" holds ']' and 'x' (glob(7)).
  for (bool first = true; first || !set.starts_with(']'); first = false) {
    const Class* found = nullptr;
    for (const Class& each : kClasses) {
      if (set.starts_with(each.name)) found = &each;
    }
    if (found != nullptr) {
      set.remove_prefix(found->name.size());
      holds = holds || found->holds(c) != 0;
      continue;
    }
    const auto low = take_character(set);
    if (!low) return std::nullopt;
    // A '-' at the end of the set means itself; before another character it makes a range.
    auto high = low;
    if (set.starts_with('-') && !set.starts_with("-]")) {
      set.remove_prefix(1);
      high = take_character(set);
      if (!high) return std::nullopt;
    }
    holds = holds || (*low <= c && c <= *high);
  }
  // Only now: a set without an end has taken nothing.
  pattern = set.substr(1);
  return holds != negated;
}

/// Takes what stands for one character off the front of `pattern`: a set, '?', an escaped character
/// or a plain one. Returns whether it stands for `c`.
bool take_one(std::string_view& pattern, char c) {
  if (pattern.empty()) return false;
  if (pattern.front() == '[') {
    if (const auto holds = take_set(pattern, static_cast<unsigned char>(c))) return *holds;
  }
  const bool any = pattern.front() == '?';
  const bool escaped = pattern.front() == '\\' && pattern.size() > 1;
  if (escaped) pattern.remove_prefix(1);
  const char expected = pattern.front();
  pattern.remove_prefix(1);
  return any || expected == c;
}

}  // namespace

bool wildcard_matches(std::string_view pattern, std::string_view name) {
  if (name.starts_with('.') && !pattern.starts_with('.') && !pattern.starts_with("\\."))
    return false;
  // If a match fails, the last star takes one character more and the rest is tried again. Earlier
  // stars need no second try, so the time is bounded by pattern times name: no pattern makes the
  // agent hang.
  std::optional<std::string_view> star;  // what follows it
  std::string_view behind;               // of the name, when it was met
  while (!name.empty()) {
    if (pattern.starts_with('*')) {
      pattern.remove_prefix(1);
      star = pattern;
      behind = name;
      continue;
    }
    if (take_one(pattern, name.front())) {
      name.remove_prefix(1);
      continue;
    }
    if (!star) return false;
    behind.remove_prefix(1);
    pattern = *star;
    name = behind;
  }
  return pattern.find_first_not_of('*') == std::string_view::npos;
}

}  // namespace caravel::tail
