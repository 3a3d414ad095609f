// The list `kinds` of a format file, compiled.
#pragma once

#include "base/error.h"
#include "base/yaml.h"
#include "formatter/formats/format.h"

namespace caravel::formatter {

/// The names under the key `columns`: a list, not empty, each name given once and not empty.
[[nodiscard]] Result<std::vector<std::string>> read_column_names(const YamlNode& root);

/// Fills in the columns and kinds of `format`, whose identity is known. Errors (kind usage) name
/// file, line and key.
[[nodiscard]] Result<> compile_kinds(const YamlNode& root, Format& format);

}  // namespace caravel::formatter
