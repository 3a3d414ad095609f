// Records whose values come with names: JSON lines, one object a line, and what reads like them.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formatter/records/json_object.h"
#include "formatter/records/record_reader.h"
#include "formatter/spans/json_spans.h"

namespace caravel::formatter {

/// What becomes of members, wherever they come from: each goes into the column of its name. Values
/// are JSON tokens with the digits of the source. A string stands without its quotes unless it
/// would then read as another JSON value; null is empty. Members that the first record (or the
/// format) did not name go into the column "more", as one object.
class MemberReader : public RecordReader {
 protected:
  /// `years` are for times without one.
  explicit MemberReader(const Format& format, const YearTable& years = {});

  /// The members of one record, or why there are none. The first make the columns, unless the
  /// format names them.
  Outcome take_members(Result<std::vector<JsonMember>> members);
  /// Makes these the columns.
  void begin_columns(const std::vector<std::string>& names);
  [[nodiscard]] JsonObjectReader& objects() { return objects_; }
  /// Of the columns, but for "more": the members that go there.
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }

 private:
  std::vector<std::string> names_;
  JsonObjectReader objects_;  // of records that are JSON; a time may lie inside of a value that is
  std::vector<std::string_view> values_;
  std::vector<std::string> time_texts_;  // one for each column of the format's time…
  std::vector<std::string_view> times_;  // … which these show
};

class JsonReader : public MemberReader {
 public:
  explicit JsonReader(const Format& format, const YearTable& years = {})
      : MemberReader(format, years) {}

  Outcome take(std::string_view record) override;
  [[nodiscard]] std::string_view take_plain(std::string_view line) override;

 private:
  /// Says for each column which member goes there, and which go to "more"; false if a name may be
  /// there twice, or if there are many without a column.
  bool place_members();
  [[nodiscard]] std::optional<std::size_t> place_behind(std::size_t last, std::string_view name);
  /// Fills time_spans_; false if one of the members is not there by that name.
  bool find_times();
  [[nodiscard]] const JsonSpan* find(std::string_view name) const;
  /// The record of the placed members.
  [[nodiscard]] std::string_view write_record(std::size_t line_size);

  JsonSpans spans_;
  std::vector<const JsonSpan*> cells_;  // one a column, without "more"; nullptr is an empty cell
  std::vector<const JsonSpan*> more_;
  std::vector<std::size_t> followers_;  // the column that was filled behind each one, last time
  std::vector<std::string_view> time_spans_;
  std::string written_;
};

}  // namespace caravel::formatter
