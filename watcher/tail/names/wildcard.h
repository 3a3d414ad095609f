// Shell wildcards. Not fnmatch(3): it brings locales and wide characters into a static program, and
// file names are bytes.
#pragma once

#include <string_view>

namespace caravel::tail {

/// Whether `name`, one component of a path, matches `pattern`: *, ?, [a-z], [!a-z], [[:digit:]] and
/// the like, \ before what is meant as itself. A dot at the start needs a dot. As fnmatch(3) does
/// with FNM_PERIOD in the C locale; without equivalence classes and collating symbols.
[[nodiscard]] bool wildcard_matches(std::string_view pattern, std::string_view name);

}  // namespace caravel::tail
