// The keys of a format whose lines carry their own structure (csv, jsonl).
#pragma once

#include "base/error.h"
#include "base/yaml.h"
#include "formatter/formats/format.h"

namespace caravel::formatter {

/// Reads `columns`, `time`, `key` and the dialect of a CSV into `format`, whose reader and identity
/// are known. Errors (kind usage) name file, line and key.
[[nodiscard]] Result<> read_record_keys(const YamlNode& root, Format& format);

/// An error if the format has keys that belong to `reader: csv`.
[[nodiscard]] Result<> refuse_csv_keys(const YamlNode& root);

}  // namespace caravel::formatter
