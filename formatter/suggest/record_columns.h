// Columns of records that name them (CSV, JSON, …): what their values are.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "formatter/suggest/draft.h"
#include "formatter/suggest/shapes/stamps.h"

namespace caravel::formatter {

/// The values of one column, as they come.
class RecordColumn {
 public:
  explicit RecordColumn(std::string name) : name_(std::move(name)) {}

  void add(std::string_view value, StampFinder& stamps);

  [[nodiscard]] const std::string& name() const { return name_; }
  /// Whether all values that are there are numbers; whole ones.
  [[nodiscard]] bool is_number() const { return values_ > 0 && numbers_ == values_; }
  [[nodiscard]] bool is_whole() const { return values_ > 0 && whole_ == values_; }
  /// The same with a comma for the point, in at least one of them.
  [[nodiscard]] bool is_comma_number() const {
    return values_ > 0 && comma_ > 0 && comma_ + numbers_ == values_;
  }
  /// The shape of a stamp that nearly all values have; kStampShapes.size() if there is none.
  [[nodiscard]] std::size_t stamp() const;
  [[nodiscard]] std::size_t values() const { return values_; }
  [[nodiscard]] std::size_t empty() const { return empty_; }
  [[nodiscard]] bool has_quotes() const { return quotes_; }
  [[nodiscard]] bool has_fractions() const { return fractions_; }
  /// With a comment on what the values are.
  [[nodiscard]] ColumnDraft draft() const;

 private:
  std::string name_;
  std::string first_;
  std::vector<std::string> seen_;  // different values, sorted, up to a bound
  std::vector<std::size_t> stamps_ = std::vector<std::size_t>(kStampShapes.size());
  std::size_t values_ = 0;
  std::size_t empty_ = 0;
  std::size_t numbers_ = 0;
  std::size_t whole_ = 0;
  std::size_t comma_ = 0;
  bool quotes_ = false;
  bool fractions_ = false;
};

/// The value of the key `time` (as YAML), and whether it counts less than a second.
struct RecordTimeChoice {
  std::string yaml;
  bool fractions = false;
};

/// What could be the row's time, the likeliest first.
[[nodiscard]] std::vector<RecordTimeChoice> choose_times(const std::vector<RecordColumn>& columns);

/// A draft for each time, and one without: the loader has the last word on what it takes.
[[nodiscard]] std::vector<Draft> with_times(const Draft& draft,
                                            const std::vector<RecordTimeChoice>& times,
                                            bool repeated_lines);

/// Sets identity and the reason for it.
void set_identity(Draft& draft, bool timed, bool fractions, bool repeated_lines);

/// Whether two lines are the same.
[[nodiscard]] bool has_repeated_lines(const std::vector<std::string_view>& lines);

}  // namespace caravel::formatter
