// The time of a csv or jsonl row: from the texts of its columns or members to the form of the ids.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "formatter/formats/format.h"
#include "formatter/patterns/year.h"

namespace caravel::formatter {

class JsonObjectReader;
struct JsonMember;

/// Reads the times of one extract. Keeps its buffers from row to row: reading allocates nothing.
class RecordTime {
 public:
  /// `rule` must outlive it. `years` are for times without one.
  RecordTime(const RecordTimeRule& rule, const YearTable& years) : rule_(rule), years_(years) {}

  /// Appends the time that the `values` make, one for each of the rule's columns. False if they
  /// make none: reason() says why.
  [[nodiscard]] bool read(const std::vector<std::string_view>& values, std::string& out);
  [[nodiscard]] const std::string& reason() const { return reason_; }
  /// The last time's packed date, if its year came from outside; else 0.
  [[nodiscard]] std::uint32_t date() const { return date_; }

 private:
  bool read_usual(std::string& out);
  bool read_layout(const TimeLayout& layout, std::string& out);
  bool finish(TimeParts& parts, std::string& out);
  void refuse(std::string_view text);

  const RecordTimeRule& rule_;
  const YearTable years_;
  std::string text_;  // what is read: the values, a line end, and kReadableBehind
  std::string reason_;
  std::size_t size_ = 0;  // of the values in text_
  std::uint32_t date_ = 0;
};

/// The text of the member `name` of an object, else of the nested member to which `name` is the
/// path: in `t.$date` the member `$date` of the object `t`. Nothing if there is none, or if one of
/// the nested names stands twice.
[[nodiscard]] std::string member_text(JsonObjectReader& reader,
                                      const std::vector<JsonMember>& members,
                                      std::string_view name);

}  // namespace caravel::formatter
