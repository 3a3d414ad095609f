#include "watcher/tail/names/wildcard.h"

#include <cctype>
#include <optional>

namespace caravel::tail {
namespace {

struct Class {
  std::string_view name;
  int (*holds)(int);
};
constexpr Class kClasses[] = {
    {"[:alnum:]", std::isalnum}, {"[:alpha:]", std::isalpha}, {"[:blank:]", std::isblank},
    {"[:cntrl:]", std::iscntrl}, {"[:digit:]", std::isdigit}, {"[:graph:]", std::isgraph},
    {"[:lower:]", std::islower}, {"[:print:]", std::isprint}, {"[:punct:]", std::ispunct},
    {"[:space:]", std::isspace}, {"[:upper:]", std::isupper}, {"[:xdigit:]", std::isxdigit}};

/// Takes one character of a set, which a backslash may stand before, off the front.
std::optional<unsigned char> take_character(std::string_view& set) {
  if (set.starts_with('\\')) set.remove_prefix(1);
  if (set.empty()) return std::nullopt;
  const auto character = static_cast<unsigned char>(set.front());
  set.remove_prefix(1);
  return character;
}

/// Takes a set, "[…]", off the front; whether it holds `c`. Nothing if it has no end: then the
/// bracket means itself.
std::optional<bool> take_set(std::string_view& pattern, unsigned char c) {
  std::string_view set = pattern.substr(1);
  const bool negated = set.starts_with('!') || set.starts_with('^');
  if (negated) set.remove_prefix(1);
  bool holds = false;
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

/// Takes what stands for one character off the front; whether it stands for `c`.
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
  // Only the last star needs to be taken back: one before it has done its part.
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
