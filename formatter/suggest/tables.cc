// CSV and its relatives: fields with a separator between them.
#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "base/text.h"
#include "formatter/suggest/candidates.h"
#include "formatter/suggest/record_columns.h"
#include "formatter/suggest/shapes/tokens.h"

namespace caravel::formatter {
namespace {

constexpr std::size_t kMostRecords = 2000;
constexpr std::size_t kMostRecordBytes = std::size_t{64} << 10;
constexpr std::size_t kMostFields = 500;
constexpr std::size_t kMostHeaderBytes = 60;

using Record = std::vector<std::string>;

/// Reads records from the front of a text (RFC 4180, with any separator).
class RecordSplitter {
 public:
  RecordSplitter(std::string_view text, char separator) : text_(text), separator_(separator) {}

  /// The next record that is not blank; nothing at the end, or where quotes are broken.
  std::optional<Record> next() {
    for (;;) {
      while (!text_.empty() && (text_[0] == '\n' || text_[0] == '\r')) text_.remove_prefix(1);
      if (text_.empty()) return std::nullopt;
      Record record;
      if (!take(record)) return std::nullopt;
      if (record.size() > 1 || !record[0].empty()) return record;
    }
  }
  [[nodiscard]] bool broken() const { return broken_; }

 private:
  bool take(Record& record) {
    std::size_t at = 0;
    for (;;) {
      std::string field;
      if (!take_field(at, field) || record.size() == kMostFields) {
        broken_ = true;
        return false;
      }
      record.push_back(std::move(field));
      if (at >= text_.size() || text_[at] == '\n') break;
      ++at;  // the separator
    }
    text_.remove_prefix(std::min(text_.size(), at + 1));
    return true;
  }

  /// One field; `at` is then at what ends it.
  bool take_field(std::size_t& at, std::string& field) const {
    if (at < text_.size() && text_[at] == '"') {
      for (++at;; ++at) {
        if (at >= text_.size() || field.size() > kMostRecordBytes) return false;
        if (text_[at] != '"') {
          field.push_back(text_[at]);
        } else if (text_.substr(at + 1, 1) == "\"") {
          field.push_back(text_[++at]);
        } else {
          break;
        }
      }
      ++at;
      if (text_.substr(at, 2) == "\r\n") ++at;
      return at >= text_.size() || text_[at] == '\n' || text_[at] == separator_;
    }
    const std::size_t begin = at;
    while (at < text_.size() && text_[at] != '\n' && text_[at] != separator_) ++at;
    std::string_view plain = text_.substr(begin, at - begin);
    if (plain.size() > kMostRecordBytes) return false;
    if (plain.ends_with('\r') && (at >= text_.size() || text_[at] == '\n')) {
      plain.remove_suffix(1);
    }
    field = plain;
    return true;
  }

  std::string_view text_;
  char separator_;
  bool broken_ = false;
};

struct Table {
  char separator = ',';
  std::size_t fields = 0;
  std::size_t agreeing = 0;  // records with so many fields
  bool header = false;
  std::vector<RecordColumn> columns;
};

/// Whether the record reads like names of columns: short, all different, and no values.
bool is_header(const Record& record, StampFinder& stamps) {
  std::set<std::string> names;
  for (const std::string& name : record) {
    const bool good = !name.empty() && name.size() <= kMostHeaderBytes && !is_number(name) &&
                      !stamps.find(name, 0) &&
                      sample_of(name).lines == std::vector<std::string_view>{name} &&
                      std::any_of(name.begin(), name.end(), is_letter);
    if (!good || type_of_word(name) != PartType::word || !names.insert(name).second) {
      // "Level" as a name is as good as any other.
      if (type_of_word(name) != PartType::level || !good) return false;
    }
  }
  return true;
}

/// A column that is more than text: one that shows that the first line is no row if it is text
/// there.
bool is_typed(const RecordColumn& column) {
  return column.is_number() || column.is_comma_number() || column.stamp() < kStampShapes.size();
}

std::optional<Table> read_table(std::string_view text, char separator, StampFinder& stamps) {
  RecordSplitter splitter(text, separator);
  std::vector<Record> records;
  std::map<std::size_t, std::size_t> sizes;
  while (records.size() < kMostRecords) {
    auto record = splitter.next();
    if (!record) break;
    ++sizes[record->size()];
    records.push_back(std::move(*record));
  }
  if (records.size() < 2 || splitter.broken()) return std::nullopt;
  const auto most = std::max_element(sizes.begin(), sizes.end(),
                                     [](auto& a, auto& b) { return a.second < b.second; });
  Table table;
  table.separator = separator;
  table.fields = most->first;
  table.agreeing = most->second;
  if (table.fields < 2 || table.agreeing * 20 < records.size() * 19) return std::nullopt;
  table.header = records[0].size() == table.fields && is_header(records[0], stamps);
  for (std::size_t i = 0; i < table.fields; ++i) {
    table.columns.emplace_back(table.header ? records[0][i] : fmt::format("Column{}", i + 1));
  }
  // Blanks around the values are no CSV: they belong to a pattern.
  std::size_t padded = 0;
  for (std::size_t r = table.header ? 1 : 0; r < records.size(); ++r) {
    // Concatenated files have their header again and again.
    const bool header_again = table.header && records[r] == records[0];
    if (records[r].size() != table.fields || header_again) continue;
    bool blanks = false;
    for (std::size_t i = 0; i < table.fields; ++i) {
      const std::string& value = records[r][i];
      blanks = blanks || value.starts_with(' ') || value.ends_with(' ');
      table.columns[i].add(value, stamps);
    }
    padded += blanks ? 1 : 0;
  }
  if (padded * 2 > records.size()) return std::nullopt;
  const auto typed =
      static_cast<std::size_t>(std::count_if(table.columns.begin(), table.columns.end(), is_typed));
  // "Mar 9, something" splits at a comma as well: without a header, it takes more to be a table.
  const bool likely = table.header ? typed > 0 || table.fields > 2 : table.fields > 2 && typed > 0;
  if (!likely) return std::nullopt;
  return table;
}

}  // namespace

std::vector<Draft> table_drafts(const Sample& sample, StampFinder& stamps) {
  std::optional<Table> best;
  std::string_view text = sample.view();
  // Excel's way to name the separator.
  const bool named = text.starts_with("sep=") && text.size() > 5;
  if (named) text.remove_prefix(text.find('\n') + 1);
  for (const char separator : {'\t', ';', ',', '|'}) {
    auto table = read_table(text, separator, stamps);
    // More columns are seldom a coincidence.
    if (table && (!best || table->fields > best->fields)) best = std::move(table);
  }
  if (!best) return {};
  Draft draft;
  draft.reader = "csv";
  const char* const separator = best->separator == ';'    ? "semicolons"
                                : best->separator == '\t' ? "tabs"
                                : best->separator == '|'  ? "bars"
                                                          : "commas";
  draft.about = fmt::format("CSV with {}{}", separator, best->header ? "" : ", without a header");
  for (const RecordColumn& column : best->columns) draft.columns.push_back(column.draft());
  draft.key = choose_key(draft.columns);
  const bool repeated = has_repeated_lines(sample.lines);
  if (best->separator != ',') {
    draft.settings.emplace_back(
        "separator", best->separator == '\t' ? "tab" : fmt::format("'{}'", best->separator));
  }
  const bool comma_numbers =
      best->separator != ',' &&
      std::any_of(best->columns.begin(), best->columns.end(),
                  [](const RecordColumn& column) { return column.is_comma_number(); });
  if (comma_numbers) draft.settings.emplace_back("decimal", "comma");
  if (!best->header) draft.settings.emplace_back("header", "false");
  return with_times(draft, choose_times(best->columns), repeated);
}

}  // namespace caravel::formatter
