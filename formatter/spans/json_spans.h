// The members of a JSON object of one line, as spans of that line: nothing is copied, but for
// strings with escapes.
//
//     {"id":17, "note":"a \"b\"", "door":{"n":1.50}}
//       ││ ││    │ │   │           │  │  └ json ───┘  nested
//       name json             …
//
// The line is read once, from left to right, and checked on the way. Only what is sure to be JSON
// for everybody is taken. The rest is left to JsonObjectReader (formatter/records/json_object.h),
// which also says what is wrong: names with escapes, half characters (\ud800), NUL, deep nesting.
// Tests compare the two.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace caravel::formatter {

/// One member as it stands in the line.
struct JsonSpan {
  enum class Kind : std::uint8_t {
    string,
    null,
    scalar,  // a number, `true`, `false`
    nested,  // an object or an array
  };
  std::string_view name;  // without its quotes
  std::string_view json;  // the value as it came
  std::string_view text;  // of a string: without quotes and escapes; of null nothing; else `json`
  Kind kind = Kind::null;
  /// Whether CSV puts quotes around `text`.
  bool wants_quotes = false;
};

/// Keeps its memory from line to line.
class JsonSpans {
 public:
  /// The members of the object that `line` is, in its order; a name may be there twice. False if it
  /// is not sure to be one, or has more than `most`. A control character must follow the line, and
  /// kBehindLine readable bytes; the line must outlive the spans. 16 bytes behind each span are
  /// readable.
  [[nodiscard]] bool read(std::string_view line, std::size_t most);

  [[nodiscard]] const std::vector<JsonSpan>& members() const { return members_; }

 private:
  /// The value at `at`; the place behind it, or nullptr.
  const char* read_value(const char* at, JsonSpan& member);
  /// The text that stands between the quotes of a string, without its escapes.
  std::string_view unescaped(std::string_view raw);

  std::vector<JsonSpan> members_;
  std::string unescaped_;  // as large as the line, so that it never moves
  char* free_ = nullptr;   // of unescaped_
};

/// The place behind the number that begins at `at` as RFC 8259, section 6, writes them; nullptr if
/// there is none. The grammar has no limit, so this asks for no value: no double holds 1e400, and
/// parsers that make one of it refuse sound JSON. Something else than a digit must follow in
/// memory, and eight bytes behind that.
[[nodiscard]] const char* skip_json_number(const char* at);

}  // namespace caravel::formatter
