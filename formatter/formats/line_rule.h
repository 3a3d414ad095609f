// Which lines of a log belong to the record before them (`continues` of a format).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/yaml.h"
#include "formatter/patterns/pattern.h"

namespace re2 {
class RE2;
}

namespace caravel::formatter {

/// Either a regular expression of lines that go on, or the pattern of lines that begin a record.
/// A constant once it is made: threads may share it.
class LineRule {
 public:
  /// `continues: {when: REGEX}`, `continues: {starts: PATTERN}`, or `starts: PATTERN` beside it.
  /// Errors (kind usage) name file, line and key.
  static Result<LineRule> read(const YamlNode& root, bool any_blanks);
  ~LineRule();
  LineRule(LineRule&&) noexcept;
  LineRule& operator=(LineRule&&) noexcept;

  /// Whether this line belongs to the record of the line before it. The time that this takes grows
  /// with the length of the line and nothing else, whoever wrote it.
  [[nodiscard]] bool goes_on(std::string_view line) const;

 private:
  LineRule();

  std::unique_ptr<const re2::RE2> when_;
  std::optional<Pattern> starts_;
};

}  // namespace caravel::formatter
