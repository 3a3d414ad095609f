// One JSON object a line, taken apart without losing a digit.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace caravel::formatter {

/// One member of an object.
struct JsonMember {
  std::string name;  // escapes undone
  std::string text;  // of a string: without quotes and escapes; else as it came
  std::string cell;  // as a cell of the CSV has it (RecordReader)
  std::string json;  // `"name":value` as it came
};

/// Whether a text, read without quotes, would be a JSON value. Nearly always the first byte tells.
[[nodiscard]] bool reads_as_json(std::string_view text);

/// A string as it stands in a cell: bare, unless it would read as another JSON value. So a store
/// can tell "12" from 12 again, and plain text stays plain for people. `raw_json` is the same with
/// its quotes.
[[nodiscard]] std::string string_cell(std::string_view text, std::string_view raw_json);

/// The member that a text makes which is no JSON: a string, whatever it looks like.
[[nodiscard]] JsonMember string_member(std::string name, std::string text);
/// The same for text without quotes: a number, `true` or `false` if it reads as such, else a
/// string. Empty text makes an empty cell.
[[nodiscard]] JsonMember bare_member(std::string name, std::string text);

/// The member that a JSON value makes.
[[nodiscard]] JsonMember json_member(std::string name, std::string json);

/// Reads object after object. Holds the parser's memory, which is grown once and not for each line.
class JsonObjectReader {
 public:
  explicit JsonObjectReader(std::size_t most_members);
  ~JsonObjectReader();
  JsonObjectReader(const JsonObjectReader&) = delete;
  JsonObjectReader& operator=(const JsonObjectReader&) = delete;

  /// The members of the object that `line` is, in its order; a name may be there twice. Errors
  /// (kind content) are reasons for a reject: the line is something else, or has too many members.
  [[nodiscard]] Result<std::vector<JsonMember>> read(std::string_view line);

 private:
  struct Parser;

  std::unique_ptr<Parser> parser_;
  std::size_t most_members_;
};

}  // namespace caravel::formatter
