#include "formatter/explain/row_values.h"

#include "formatter/input/line_splitter.h"
#include "formatter/records/gather.h"
#include "formatter/records/matcher.h"
#include "formatter/records/record_reader.h"
#include "formatter/rows/csv.h"

namespace caravel::formatter {

// As the run does it.
void RowValues::take_text(const SeenLine& seen) {
  const std::string_view line = seen.line.text();
  std::string_view trimmed = trim_line(line);
  ahead_ = static_cast<std::size_t>(trimmed.data() - line.data());
  if (!decoding_) {
    // The run has opened the same before, so it cannot fail here.
    if (auto opened = LineText::open(seen.format.encoding)) decoding_ = std::move(*opened);
  }
  const char* const as_it_came = trimmed.data();
  // What is no text was a reject for that reason; then the bytes are shown.
  if (decoding_ && !trimmed.empty()) (void)decoding_->fault_of(seen.line, trimmed);
  if (seen.line.lines > 1 && seen.records == nullptr) trimmed = join_lines(trimmed, joined_);
  // The reasons of rejects count the blanks before a line only if the text is that of the buffer.
  if (trimmed.data() != as_it_came) ahead_ = 0;
  text_.assign(trimmed);
  // The parsers want a line's end, and readable bytes behind it.
  text_.append(kReadableBehind + 1, '\n');
  trimmed_ = std::string_view(text_).substr(0, trimmed.size());
}

void RowValues::look_at(const SeenLine& seen) {
  kind_ = nullptr;
  values_.clear();
  const bool is_row = seen.after.rows > seen.before.rows;
  take_text(seen);
  if (seen.records != nullptr) {
    if (is_row) split_record(seen.records->record());
    return;
  }
  for (std::size_t i = 0; i < seen.format.kinds.size() && kind_ == nullptr; ++i) {
    if (!matches(seen.format.kinds[i])) continue;
    kind_ = &seen.format.kinds[i];
    kind_index_ = i;
  }
  if (kind_ == nullptr || !kind_->keep || !is_row) return;
  if (!writer_) writer_ = std::make_unique<RowWriter>(seen.format, csv_, sidecar_);
  csv_.keep(0);
  writer_->write(*kind_, static_cast<std::uint32_t>(kind_index_), *state_, trimmed_,
                 {seen.line.number, seen.line.offset, seen.line.offset, seen.line.lines});
  std::string_view record = csv_.pending();
  if (record.ends_with('\n')) record.remove_suffix(1);
  split_record(record);
}

bool RowValues::matches(const Kind& kind) {
  const std::string_view first_line = trimmed_.substr(0, trimmed_.find('\n'));
  const char* const end = first_line.data() + first_line.size();
  state_->at[0] = first_line.data();
  if (kind.pattern.match(0, end, years_, *state_) != Pattern::kMatched) return false;
  // The other lines of a record belong to the capture that goes on to its end.
  if (first_line.size() < trimmed_.size() && kind.rest) {
    state_->captures[*kind.rest].end = trimmed_.data() + trimmed_.size();
    state_->captures[*kind.rest].number = kNeedsQuotes;
  }
  return true;
}

void RowValues::split_record(std::string_view record) {
  std::vector<std::string_view> fields;
  std::string scratch;
  if (split_csv_record(record, fields, scratch)) values_.assign(fields.begin(), fields.end());
}

}  // namespace caravel::formatter
