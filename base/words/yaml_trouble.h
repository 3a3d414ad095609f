// What a message of yaml-cpp means for whoever wrote the file.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace caravel {

/// `said`: the library's message; `at`: the byte of `text` that it means. The key of that line is
/// put in front, "match: …", if it has one.
[[nodiscard]] std::string explain_yaml_trouble(std::string_view said, std::string_view text,
                                               std::size_t at);

}  // namespace caravel
