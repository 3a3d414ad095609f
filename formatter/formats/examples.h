// The examples that a format file carries: lines, and what must become of them.
//
//   examples:
//     - line: '2024-02-29 07:58:09.031 door 17 closed'
//       kind: closed
//       row: {Date: 2024-02-29, Time: '07:58:09.031', Door: 17, Event: closed}
//     - {line: '2024-02-29 07:58:10.000 heartbeat 5511', dropped: true}
//     - {line: '2024-02-29 07:58:12.500 door 17 jammed', reject: 'expected "opened"'}
//
// They are the format's own test: `caravel check` runs them (formatter/check_examples.h), and tell
// a reader what the format takes. No line of an extract is ever compared with them.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/yaml.h"

namespace caravel::formatter {

struct Format;

struct Example {
  /// Column and value, as the CSV has it without its quotes. Columns that are not named are empty.
  using Cells = std::vector<std::pair<std::string, std::string>>;

  std::string place;                      // "FILE:LINE: examples[2]"
  std::vector<std::string> lines;         // without line ends: a whole extract
  std::optional<std::chrono::year> year;  // of dates that have none
  std::string kind;                       // of all its rows, or dropped lines; "" if it is not said
  std::vector<Cells> rows;                // that the lines make, in order
  std::vector<std::string> rejects;       // in order, a part of the reason of each
  // All other lines are dropped, or belong to the row that began before them.
};

/// Reads the key `examples` of a format file, which may be missing, into `format`, whose kinds and
/// columns are known. Errors (kind usage) name file, line and key.
[[nodiscard]] Result<> read_examples(const YamlNode& node, Format& format);

}  // namespace caravel::formatter
