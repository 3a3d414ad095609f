// The keys of a format file that speak of times: `zone`, `zones`, and the `time` of csv and jsonl.
#pragma once

#include "base/error.h"
#include "base/yaml.h"
#include "formatter/formats/format.h"

namespace caravel::formatter {

/// `zone: Europe/Berlin` and `zones: {EST: -05:00}`. Errors (kind usage) name file, line and key.
[[nodiscard]] Result<> read_zones(const YamlNode& root, ZoneRules& zones);

/// `time` of a reader that takes its columns from the extract: a column, a list of two or three, or
/// a map of `column` or `columns`, and `format`: one layout or a list of them. `zones` are known.
[[nodiscard]] Result<> read_record_time(const YamlNode& node, const ZoneRules& zones,
                                        RecordTimeRule& rule);

}  // namespace caravel::formatter
