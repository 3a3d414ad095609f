// Environment variables in values of the configuration.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/yaml.h"

namespace caravel::watcher {

/// The value of an environment variable; nothing if it is not set.
using Variables = std::function<std::optional<std::string>(const std::string& name)>;

/// Replaces, in every value at and below `root`: ${NAME}; ${NAME:-TEXT}, which is TEXT if NAME is
/// unset or empty, as in the shell; and $$, which is a dollar. A dollar before anything else stays.
/// What a variable holds is not looked through again. Keys that stand for a secret, or say where
/// one is, take no variable: the environment of a service can be read by more people than a file
/// of its own, and messages show values. Neither does the user's part of a URL.
/// Returns all errors, of kind usage. A value that has one counts as missing.
[[nodiscard]] Result<> expand_variables(YamlNode root, const Variables& variables);

}  // namespace caravel::watcher
