// fmt's formatting for messages: each text among the values goes through shown(), so that nobody
// who writes a message can forget it.
#pragma once

#include <string>
#include <string_view>
#include <type_traits>

#include <fmt/format.h>

#include "base/text.h"

namespace caravel::watcher {

/// A value of a message: text as shown() has it, anything else as it is.
template <class Value>
[[nodiscard]] decltype(auto) as_shown(const Value& value) {
  if constexpr (std::is_convertible_v<const Value&, std::string_view>) {
    return shown(std::string_view(value));
  } else {
    return (value);  // in brackets: a reference, and no copy
  }
}

/// A message of one line. Its texts are escaped and bounded one by one, and then all of it is: a
/// value may be a list, which as_shown() does not look into.
template <class... Values>
[[nodiscard]] std::string format_shown(fmt::format_string<Values...> format, Values&&... values) {
  constexpr std::size_t kMostOfLine = 8000;
  return shown(fmt::vformat(format, fmt::make_format_args(as_shown(values)...)), kMostOfLine);
}

}  // namespace caravel::watcher
