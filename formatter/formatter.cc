#include "formatter/formatter.h"

#include <algorithm>
#include <memory>

#include <fmt/format.h>

#include "formatter/input/first_line.h"
#include "formatter/input/line_splitter.h"
#include "formatter/input/line_text.h"
#include "formatter/output/pieced_time.h"
#include "formatter/output/row_writer.h"
#include "formatter/privacy/removed.h"
#include "formatter/quick/quick_lines.h"
#include "formatter/records/detect.h"
#include "formatter/records/gather.h"
#include "formatter/records/matcher.h"
#include "formatter/records/record_reader.h"
#include "formatter/rows/csv.h"
#include "formatter/rows/sidecar.h"
#include "formatter/unpacked_size.h"

namespace caravel::formatter {
namespace {

/// Progress is told, and a stop is noticed, once a MiB: a few milliseconds apart.
constexpr std::uint64_t kBytesBetweenReports = 1 << 20;

/// The reason of a last line without a line end, short or long.
constexpr std::string_view kCutOff = "no line end (cut off?)";
/// The reason of a half line, and what its text may look like does not matter.
constexpr std::string_view kCutByLogger = "a piece of a line that its logger cut in two";

/// One run over one extract.
class Run {
 public:
  Run(Input& input, const FormatRequest& request, const FormatOutputs& outputs,
      const FormatMonitor& monitor)
      : input_(input),
        request_(request),
        outputs_(outputs),
        monitor_(monitor),
        lines_(input, request.max_line) {}

  Result<FormatResult> run() {
    // Of a file that is not packed, nothing has to be read to know that it is too large.
    CARAVEL_TRY(expect_unpacked_size(input_.known_size(), input_.packed_size(), request_));
    CARAVEL_TRY(choose_format());
    // They need the format, which is known only now. Nothing uses the pointers after this call.
    Matcher matcher(*format_, request_.years);
    RowWriter writer(*format_, outputs_.csv, outputs_.sidecar);
    matcher_ = &matcher;
    writer_ = &writer;
    CARAVEL_TRY(make_reader());
    if (request_.first_line) {
      // This extract may begin in the middle of its log, whose first line only the manifest knows.
      writer.set_first_line(*request_.first_line);
      first_line_known_ = true;
    }
    if (format_->reader == Reader::pattern) begin_rows(format_->columns);
    if (records_ != nullptr && records_->has_columns()) begin_rows(records_->columns());

    QuickLines quick({*format_, request_.years, writer, outputs_.csv, outputs_.rejects,
                      request_.log_offset, request_.max_line, request_.quick_from, records_.get()});
    Line line;
    for (;;) {
      // Whoever looks on wants to see each line.
      if (monitor_.on_line == nullptr && first_line_known_ &&
          quick.take(lines_, result_.counts, last_date_)) {
        CARAVEL_TRY(look_around());
      }
      CARAVEL_ASSIGN_OR_RETURN(auto more, lines_.next(line));
      if (!more) break;
      CARAVEL_TRY(monitor_.on_line ? take_and_show(line) : take(line));
      CARAVEL_TRY(look_around());
    }
    // For what was read since: a small extract is looked at here only.
    next_report_ = 0;
    CARAVEL_TRY(look_around());
    return finish();
  }

 private:
  Result<> choose_format() {
    format_ = request_.format;
    if (format_ != nullptr) return {};
    DetectRequest detect;
    detect.begins_with_piece = request_.begins_with_piece;
    detect.unterminated = request_.accept_unterminated;
    detect.max_line = request_.max_line;
    CARAVEL_ASSIGN_OR_RETURN(format_, find_format(lines_, *request_.formats, detect));
    // An extract without a line is well formed in any: no row, no reject.
    if (format_ == nullptr) format_ = &no_format_;
    return {};
  }

  Result<> take_and_show(Line& line) {
    const Counts before = result_.counts;
    CARAVEL_TRY(take(line));
    return monitor_.on_line({line, *format_, records_.get(), before, result_.counts});
  }

  /// The headers of CSV and sidecar, as soon as the columns are known.
  void begin_rows(const std::vector<Column>& columns) {
    std::vector<std::string> names;
    for (const Column& column : columns) names.push_back(column.name);
    outputs_.csv.append(csv_header(names));
    if (!outputs_.sidecar.discards()) {
      outputs_.sidecar.append(sidecar_header_text({format_->name, columns, format_->kind_names()}));
    }
    begun_ = true;
  }

  /// What reads the records, and turns the bytes of another encoding into text.
  Result<> make_reader() {
    CARAVEL_ASSIGN_OR_RETURN(
        const auto start, record_start(*format_, lines_, request_.log_offset == 0, request_.years));
    records_ = make_record_reader(*format_, start);
    may_span_lines_ =
        records_ != nullptr ? records_->spans_lines() : format_->continues.has_value();
    may_hold_bytes_ = records_ != nullptr && records_->takes_bytes();
    return LineText::open(format_->encoding).map([&](LineText text) { text_ = std::move(text); });
  }

  /// One line, or one piece of a line. Tested in this order: what cannot be text of any format
  /// first.
  Result<> take(Line& line) {
    if (line.number == 1) CARAVEL_TRY(expect_encoding(lines_, format_->encoding));
    if (!first_line_known_) note_first_line(line);
    if (line.oversized) {
      take_piece(line);
      return {};
    }
    if (line.number == 1 && request_.begins_with_piece) {
      reject_half(line);
      return {};
    }
    if (line.number <= format_->csv.skip && request_.log_offset == 0) {
      drop(line);
      return {};
    }
    if (records_ != nullptr && line.terminated && take_plain(line)) return {};
    if (may_span_lines_) CARAVEL_TRY(gather(line));
    // The writer may not have finished this line: as a row it could be a wrong one.
    if (!line.terminated && !request_.accept_unterminated) {
      reject_cut(line, kCutOff);
      return {};
    }
    std::string_view trimmed = trim_line(line.text());
    if (trimmed.empty()) {
      drop(line);
      return {};
    }
    if (records_ != nullptr) trimmed = records_->trim(line.text());
    std::string_view fault = std::exchange(fault_, {});
    if (fault.empty() && (line.nul || !line.ascii) && !may_hold_bytes_) {
      fault = text_->fault_of(line, trimmed);
    }
    if (!fault.empty()) {
      if (records_ != nullptr) records_->pass_over();
      reject(line, reason_of_removed(*format_, line.text(), fault));
      return {};
    }
    if (records_ != nullptr) return read_record(line, trimmed);
    match(line, trimmed);
    return {};
  }

  /// Most records are one line, and show at a glance that they are rows.
  bool take_plain(const Line& line) {
    const std::string_view record = line.nul ? "" : records_->take_plain(line.text());
    std::string_view text = record;
    // What had to be decoded first is not plain.
    if (record.empty() ||
        (!line.ascii && (!text_->fault_of(line, text).empty() || text.data() != record.data()))) {
      return false;
    }
    write_row(line, record);
    return true;
  }

  void write_row(const Line& line, std::string_view record) {
    writer_->write_record(records_->record(), records_->time(), records_->key(), record,
                          place_of(line));
    count_row(line);
    if (records_->date() != 0) last_date_ = records_->date();
  }

  /// Grows `line` by the lines that belong to its record.
  Result<> gather(Line& line) {
    if (records_ != nullptr) {
      const CutLog log{request_.first_line.has_value(), request_.log_offset > 0};
      return records_->gather(log, lines_, line).map([&](std::string_view fault) {
        fault_ = fault;
      });
    }
    if (trim_line(line.text()).empty()) return {};
    return gather_lines(*format_->continues, format_->records, lines_, line).map([&](bool whole) {
      fault_ = whole ? "" : "a record over max_record";
    });
  }

  [[nodiscard]] LinePlace place_of(const Line& line) const {
    return {line.number, line.offset, request_.log_offset + line.offset, line.lines};
  }

  void match(const Line& line, std::string_view trimmed) {
    if (line.lines > 1) trimmed = join_lines(trimmed, joined_);
    // The parsers stop at a LF. The byte behind the trimmed line is ours to borrow: it belongs to
    // this line's end, or to the buffer's padding.
    char* const end = const_cast<char*>(trimmed.data()) + trimmed.size();
    const char borrowed = std::exchange(*end, '\n');
    const char* const first_end = line.lines > 1 ? std::ranges::find(trimmed, '\n') : end;
    const auto kind_index = matcher_->match(trimmed.data(), first_end);
    if (kind_index) {
      const Kind& kind = format_->kinds[*kind_index];
      if (line.lines > 1 && kind.rest) matcher_->extend_capture(*kind.rest, end);
      if (kind.looked_at && !look_at(kind, matcher_->state(), last_date_, reason_)) {
        *end = borrowed;
        reject(line, reason_);
        return;
      }
      if (kind.keep) {
        writer_->write(kind, *kind_index, matcher_->state(), trimmed, place_of(line));
        count_row(line);
      } else {
        drop(line);
      }
    }
    // The byte is given back before the reject, which keeps the line as it came.
    *end = borrowed;
    if (kind_index) return;
    // Where the text is no longer that of the buffer, its own beginning counts.
    const bool is_copy = trimmed.data() < line.begin || trimmed.data() > line.end;
    reject(line, matcher_->reason(is_copy ? trimmed.data() : line.begin));
  }

  Result<> read_record(const Line& line, std::string_view trimmed) {
    const RecordReader::Outcome outcome = records_->take(trimmed);
    // The first line that can be read has named the columns.
    if (!begun_ && records_->has_columns()) begin_rows(records_->columns());
    switch (outcome) {
      case RecordReader::Outcome::row:
        write_row(line, trimmed);
        break;
      case RecordReader::Outcome::header:
        // A header is neither a row nor a mistake of the sender.
        drop(line);
        break;
      case RecordReader::Outcome::reject:
        reject(line, records_->reason());
        break;
      case RecordReader::Outcome::refuse:
        return fail(ErrorKind::content,
                    fmt::format("line {}: {}", line.number, records_->reason()));
    }
    return {};
  }

  void count_row(const Line& line) {
    ++result_.counts.rows;
    result_.counts.more_lines += line.lines - 1;
    result_.counts.lines += line.lines;
  }

  void drop(const Line& line) {
    result_.counts.dropped += line.lines;
    result_.counts.lines += line.lines;
  }

  void reject_half(const Line& line) {
    if (records_ != nullptr) records_->pass_over();
    if (line.terminated) {
      reject(line, kCutByLogger);
    } else {
      reject_cut(line, kCutByLogger);
    }
  }

  void reject(const Line& line, std::string_view reason) {
    result_.counts.rejected += line.lines;
    result_.counts.lines += line.lines;
    // So that the lines, once they are mended, are a CSV that can be dropped again.
    if (records_ != nullptr && !outputs_.rejects.has_lines()) {
      outputs_.rejects.set_header(records_->header_line());
    }
    outputs_.rejects.add(line.number, line.offset, reason, line.text());
  }

  void reject_cut(const Line& line, std::string_view reason) {
    result_.counts.rejected += line.lines;
    result_.counts.lines += line.lines;
    outputs_.rejects.add_cut(line.number, line.offset, reason, line.text());
  }

  /// A line that is longer than the limit comes in pieces and is never held as a whole.
  void take_piece(const Line& line) {
    // The reason names where the line began, not its last piece.
    if (piece_begin_ == kNoPiece) piece_begin_ = line.offset;
    outputs_.rejects.add_piece(line.text());
    if (records_ != nullptr) records_->pass_over();
    if (!line.last_piece) return;
    ++result_.counts.lines;
    ++result_.counts.rejected;
    outputs_.rejects.end_pieces(
        line.number, piece_begin_,
        line.terminated ? fmt::format("longer than {} bytes", request_.max_line) : kCutOff,
        line.terminated);
    piece_begin_ = kNoPiece;
  }

  void note_first_line(const Line& line) {
    if (!first_line_.take(line)) return;
    writer_->set_first_line(hash_bytes(first_line_.text()));
    first_line_known_ = true;
  }

  /// What is done now and then: progress, the stop signal, the limits, errors of the outputs.
  Result<> look_around() {
    if (lines_.bytes() < next_report_) return {};
    next_report_ = lines_.bytes() + kBytesBetweenReports;
    if (monitor_.on_progress) monitor_.on_progress(input_.packed_bytes());
    if (monitor_.stop != nullptr && monitor_.stop->requested()) {
      return fail(ErrorKind::stopped, "stopped");
    }
    CARAVEL_TRY(expect_unpacked_size(lines_.bytes(), input_.packed_size(), request_));
    // Nothing is written after an error: to read on would only cost time.
    CARAVEL_TRY(outputs_.csv.status());
    CARAVEL_TRY(outputs_.sidecar.status());
    return outputs_.rejects.status();
  }

  Result<FormatResult> finish() {
    // Without a readable line there are no columns; the sidecar has its header all the same.
    if (!begun_) begin_rows({});
    result_.format = format_ == &no_format_ ? nullptr : format_;
    result_.first_time = writer_->first_time();
    result_.last_time = writer_->last_time();
    result_.unpacked_bytes = lines_.bytes();
    if (records_ != nullptr) result_.rejects_header = records_->header_line();
    if (last_date_ != 0) {
      result_.last_date = std::chrono::year_month_day(
          std::chrono::year(static_cast<int>(packed_year(last_date_))),
          std::chrono::month(packed_month(last_date_)), std::chrono::day(packed_day(last_date_)));
    }
    const Input::Digests digests = input_.digests();
    result_.sha256 = digests.packed;
    result_.unpacked_sha256 = digests.unpacked;
    // The promise that nothing is lost, checked on every extract.
    if (!result_.counts.add_up()) {
      return fail(ErrorKind::fault, "internal error: the counts of lines do not add up");
    }
    // A write that failed earlier in this run is returned here too (output.h).
    CARAVEL_TRY(outputs_.csv.flush());
    CARAVEL_TRY(outputs_.rejects.flush());
    // Last of all, behind everything that can fail: a sidecar with its end line says that all of it
    // is whole.
    if (!outputs_.sidecar.discards()) {
      outputs_.sidecar.append(sidecar_end_text({result_.sha256, result_.counts}));
    }
    CARAVEL_TRY(outputs_.sidecar.flush());
    return std::move(result_);
  }

  static constexpr std::uint64_t kNoPiece = ~std::uint64_t{0};

  Input& input_;
  const FormatRequest& request_;
  const FormatOutputs& outputs_;
  const FormatMonitor& monitor_;
  LineSplitter lines_;
  const Format no_format_{};
  const Format* format_ = nullptr;
  Matcher* matcher_ = nullptr;
  RowWriter* writer_ = nullptr;
  std::unique_ptr<RecordReader> records_;  // none for `reader: pattern`
  std::optional<LineText> text_;
  std::string joined_;
  std::string_view fault_;  // of the record that was gathered
  bool may_span_lines_ = false;
  bool may_hold_bytes_ = false;
  FormatResult result_;
  std::uint32_t last_date_ = 0;
  std::string reason_;
  std::uint64_t piece_begin_ = kNoPiece;
  FirstLine first_line_;
  std::uint64_t next_report_ = 0;
  bool begun_ = false;
  bool first_line_known_ = false;
};

}  // namespace

Result<FormatResult> format_extract(Input& input, const FormatRequest& request,
                                    const FormatOutputs& outputs, const FormatMonitor& monitor) {
  return std::make_unique<Run>(input, request, outputs, monitor)->run();
}

}  // namespace caravel::formatter
