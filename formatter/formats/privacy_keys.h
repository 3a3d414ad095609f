// The keys of a format file that are about people: `privacy`, `unmatched`, `hash_key`, `keep_salt`.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "base/yaml.h"
#include "formatter/formats/format.h"

namespace caravel::formatter {

/// The captures that `privacy` names, in the order of the file: they are used, though they may be
/// no columns.
[[nodiscard]] Result<std::vector<std::string>> read_privacy_names(const YamlNode& root);

/// Fills `format.privacy` and the acts of its kinds, which must be compiled. Nothing is changed if
/// the format says nothing of it. Errors (kind usage) name file, line and key: a rule that the type
/// of a capture does not take, a capture that no kind has, a reader that is not supported.
[[nodiscard]] Result<> read_privacy(const YamlNode& root, Format& format);

}  // namespace caravel::formatter
