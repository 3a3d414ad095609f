// From the text of one capture in a pattern to the op that matches it.
#pragma once

#include <string_view>

#include "base/error.h"
#include "formatter/patterns/op.h"

namespace caravel::formatter {

/// The op for TYPE(ARGUMENT); `argument` is "" where the pattern has none. Its slot, its literal
/// and what ends its value are the pattern's to fill in. `any_blanks` and `zones` count for layouts
/// of times. Errors (kind usage) are sentences without place.
[[nodiscard]] Result<Op> make_op(std::string_view type, std::string_view argument, bool any_blanks,
                                 const ZoneRules& zones);

}  // namespace caravel::formatter
