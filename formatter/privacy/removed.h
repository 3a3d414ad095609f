// What stands in the place of a line that could not be made anonymous.
//
//     \xff removed: expected an IP address at byte 0 (request)            filled up with blanks
//
// The byte 0xff cannot stand in UTF-8, so no kind of any format, not even `{Message:rest}`, takes
// it for a row: it is a reject again, whoever reads it. It is as long as the line was, so that the
// lines behind it keep their places. The reason quotes nothing of the line.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "formatter/formats/format.h"

namespace caravel::formatter {

/// `length` bytes; a reason that finds no room in them is left out.
[[nodiscard]] std::string removed_line(std::string_view reason, std::size_t length);

/// Whether the whole of `line` is what removed_line() writes with a reason that this format can
/// give: then it holds nothing of anybody, and stays as it is.
[[nodiscard]] bool is_removed_line(const Format& format, std::string_view line);

/// The reason for rejecting a line with this `fault`: why it was removed, if it was. Of a line that
/// could not be made anonymous nothing else is left.
[[nodiscard]] std::string reason_of_removed(const Format& format, std::string_view line,
                                            std::string_view fault);

inline constexpr std::string_view kNotUtf8 = "not valid UTF-8";
inline constexpr std::string_view kHoldsNul = "holds NUL bytes";
inline constexpr std::string_view kNotRewritable = "cannot be written anonymously";
inline constexpr std::string_view kSaltForgotten = "the salt of its day was forgotten";

}  // namespace caravel::formatter
