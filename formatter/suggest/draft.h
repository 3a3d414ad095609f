// A format that is being written: values, and the YAML text that is made of them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace caravel::formatter {

/// A column, or a capture that becomes one.
struct ColumnDraft {
  std::string name;
  std::string about;         // for a comment: "a number from 3 to 17"
  std::size_t distinct = 0;  // different values, counted up to kMostDistinct
  std::size_t values = 0;    // of how many
  bool may_be_key = false;
};
constexpr std::size_t kMostDistinct = 1000;

struct KindDraft {
  std::string name;
  std::string line;     // the pattern
  std::string time;     // what its captures would make of the key `time`; "" without a time
  std::string example;  // a line of it
  std::size_t lines = 0;
  std::vector<ColumnDraft> captures;
};

struct Draft {
  std::string name;
  std::vector<std::string> notes;  // comments at the head, a line each
  std::string about;
  std::string reader = "pattern";
  std::vector<std::pair<std::string, std::string>> settings;  // other keys, their values as YAML
  bool by_position = true;
  std::string identity_reason;
  bool any_blanks = false;
  std::string time;  // as YAML; "" without
  std::string key;
  std::vector<ColumnDraft> columns;
  std::vector<KindDraft> kinds;
};

/// The format file. Whatever the texts hold, it is valid YAML, and comments stay comments.
[[nodiscard]] std::string yaml_of(const Draft& draft);

/// `text` as a YAML scalar that means just this text: plain where it can be, else quoted.
[[nodiscard]] std::string yaml_scalar(std::string_view text);

/// Foreign text in a comment: escaped, and cut to `most` bytes.
[[nodiscard]] std::string in_comment(std::string_view text, std::size_t most = 120);

/// A name that may stand in a pattern, made of any text: letters, digits, '_', '-' and '.', at most
/// 40 bytes. "" if nothing is left.
[[nodiscard]] std::string name_from(std::string_view text);

/// Gives out names, none of them twice.
class UniqueNames {
 public:
  /// `wanted`, or with a number behind it if it was given out before.
  [[nodiscard]] std::string give(const std::string& wanted);

 private:
  std::vector<std::string> given_;
};

}  // namespace caravel::formatter
