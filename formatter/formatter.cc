#include "formatter/formatter.h"

#include <algorithm>
#include <memory>

#include <fmt/format.h>
#include <simdjson.h>

#include "formatter/input/line_splitter.h"
#include "formatter/output/row_writer.h"
#include "formatter/records/detect.h"
#include "formatter/records/matcher.h"
#include "formatter/records/record_reader.h"
#include "formatter/rows/csv.h"
#include "formatter/rows/sidecar.h"

namespace caravel::formatter {
namespace {

/// As many lines as are looked at to find the format: enough to outvote a header or a comment.
constexpr std::size_t kDetectionLines = 64;
/// The hash of a log's first line is over at most so many of its bytes: whoever computes it needs
/// no more memory for a line without end.
constexpr std::size_t kFirstLineBytes = 64 * 1024;
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
    CARAVEL_TRY(expect_size(input_.known_size()));
    CARAVEL_TRY(choose_format());
    // The three need the format, which is known only now. They live as long as this call, and
    // nothing uses the pointers to them afterwards.
    Matcher matcher(*format_, request_.years);
    RowWriter writer(*format_, outputs_.csv, outputs_.sidecar);
    RecordReader records(*format_);
    matcher_ = &matcher;
    writer_ = &writer;
    records_ = &records;
    if (request_.first_line) {
      // This extract may begin in the middle of its log, whose first line only the manifest knows.
      writer.set_first_line(*request_.first_line);
      first_line_known_ = true;
    }
    if (format_->reader == Reader::pattern) begin_rows(format_->columns);
    if (records.has_columns()) begin_rows(records.columns());

    Line line;
    for (;;) {
      CARAVEL_ASSIGN_OR_RETURN(auto more, lines_.next(line));
      if (!more) break;
      take(line);
      if (lines_.bytes() >= next_report_) CARAVEL_TRY(look_around());
    }
    // For what was read since the last time: a small extract is looked at here only.
    CARAVEL_TRY(look_around());
    return finish();
  }

 private:
  Result<> choose_format() {
    format_ = request_.format;
    if (format_ != nullptr) return {};
    CARAVEL_ASSIGN_OR_RETURN(auto first_lines,
                             lines_.peek(kDetectionLines, request_.accept_unterminated));
    // A piece tells nothing of the format.
    if (request_.begins_with_piece && !first_lines.empty()) {
      first_lines.erase(first_lines.begin());
      if (first_lines.empty() && lines_.ended()) {
        format_ = &no_format_;
        return {};
      }
    }
    if (first_lines.empty()) {
      // Nothing to tell a format by. An empty extract is well formed in any: no row, no reject.
      if (!lines_.ended()) {
        return fail(ErrorKind::content,
                    fmt::format("its first line is longer than {} bytes (max_line), so its format "
                                "cannot be found; name it with --format or `format:`",
                                request_.max_line));
      }
      format_ = &no_format_;
      return {};
    }
    format_ = detect_format(*request_.formats, first_lines);
    if (format_ != nullptr) return {};
    return fail(ErrorKind::content,
                fmt::format("no format takes any of its first {} lines (known: {}); name one with "
                            "--format or `format:`",
                            first_lines.size(), fmt::join(request_.formats->names(), ", ")));
  }

  /// The headers of CSV and sidecar, as soon as the columns are known.
  void begin_rows(const std::vector<Column>& columns) {
    std::vector<std::string> names;
    for (const Column& column : columns) names.push_back(column.name);
    outputs_.csv.buffer().append(csv_header(names));
    if (!outputs_.sidecar.discards()) {
      outputs_.sidecar.buffer().append(
          sidecar_header_text({format_->name, columns, format_->kind_names()}));
    }
    begun_ = true;
  }

  /// One line, or one piece of a line. Tested in this order: what cannot be text of any format
  /// first.
  void take(Line& line) {
    if (!first_line_known_) note_first_line(line);
    if (line.oversized) {
      take_piece(line);
      return;
    }
    ++result_.counts.lines;
    if (line.number == 1 && request_.begins_with_piece) {
      reject_half(line);
      return;
    }
    // The writer may not have finished this line: as a row it could be a wrong one.
    if (!line.terminated && !request_.accept_unterminated) {
      ++result_.counts.rejected;
      outputs_.rejects.add_cut(line.number, line.offset, kCutOff, line.text());
      return;
    }
    const std::string_view trimmed = trim_line(line.text());
    if (trimmed.empty()) {
      reject(line, "empty line");
      return;
    }
    // JSON and most stores take UTF-8 only, and one bad row would fail its whole batch.
    if (!line.ascii && !simdjson::validate_utf8(trimmed.data(), trimmed.size())) {
      records_->pass_over();
      reject(line, "not valid UTF-8");
      return;
    }
    const LinePlace place{line.number, line.offset, request_.log_offset + line.offset};
    if (format_->reader == Reader::pattern) {
      match(line, trimmed, place);
    } else {
      read_record(line, trimmed, place);
    }
  }

  void match(const Line& line, std::string_view trimmed, const LinePlace& place) {
    // The parsers stop at a LF. The byte behind the trimmed line is ours to borrow: it belongs to
    // this line's end, or to the buffer's padding.
    char* const end = const_cast<char*>(trimmed.data()) + trimmed.size();
    const char borrowed = std::exchange(*end, '\n');
    const auto kind_index = matcher_->match(trimmed.data(), end);
    if (kind_index) {
      const Kind& kind = format_->kinds[*kind_index];
      // Dropped lines count too: the year's check asks for the extract's last date.
      if (kind.month_day) last_date_ = matcher_->state().captures[*kind.month_day].number;
      if (kind.keep) {
        writer_->write(kind, *kind_index, matcher_->state(), trimmed, place);
        ++result_.counts.rows;
      } else {
        ++result_.counts.dropped;
      }
    }
    // The byte is given back before the reject, which keeps the line as it came.
    *end = borrowed;
    if (!kind_index) reject(line, matcher_->reason(line.begin));
  }

  void read_record(const Line& line, std::string_view trimmed, const LinePlace& place) {
    const RecordReader::Outcome outcome = records_->take(trimmed);
    // The first line that can be read has named the columns.
    if (!begun_ && records_->has_columns()) begin_rows(records_->columns());
    switch (outcome) {
      case RecordReader::Outcome::row:
        writer_->write_record(records_->record(), records_->time(), records_->key(), trimmed,
                              place);
        ++result_.counts.rows;
        break;
      case RecordReader::Outcome::header:
        // A header is neither a row nor a mistake of the sender.
        ++result_.counts.dropped;
        break;
      case RecordReader::Outcome::reject:
        reject(line, records_->reason());
        break;
    }
  }

  void reject_half(const Line& line) {
    records_->pass_over();
    if (line.terminated) {
      reject(line, kCutByLogger);
      return;
    }
    ++result_.counts.rejected;
    outputs_.rejects.add_cut(line.number, line.offset, kCutByLogger, line.text());
  }

  void reject(const Line& line, std::string_view reason) {
    ++result_.counts.rejected;
    outputs_.rejects.add(line.number, line.offset, reason, line.text());
  }

  /// A line that is longer than the limit comes in pieces and is never held as a whole.
  void take_piece(const Line& line) {
    // The reason names where the line began, not its last piece.
    if (piece_begin_ == kNoPiece) piece_begin_ = line.offset;
    outputs_.rejects.add_piece(line.text());
    records_->pass_over();
    if (!line.last_piece) return;
    ++result_.counts.lines;
    ++result_.counts.rejected;
    outputs_.rejects.end_pieces(
        line.number, piece_begin_,
        line.terminated ? fmt::format("longer than {} bytes", request_.max_line) : kCutOff,
        line.terminated);
    piece_begin_ = kNoPiece;
  }

  /// Gathers the beginning of the first line, which may come in pieces of any size, until it is
  /// known what the ids of `identity: position` need of it.
  void note_first_line(const Line& line) {
    const std::string_view text = line.text().substr(0, kFirstLineBytes - first_line_.size());
    first_line_.append(text);
    const bool all = text.size() == line.text().size();
    if (all && line.oversized && !line.last_piece) return;  // more of it will come
    // The CR of a CR LF is no part of the line: the log keeps its ids if its line ends change.
    if (all && line.terminated && first_line_.ends_with('\r')) first_line_.pop_back();
    writer_->set_first_line(hash_bytes(first_line_));
    first_line_known_ = true;
  }

  /// What is done now and then: progress, the stop signal, the limits, errors of the outputs.
  Result<> look_around() {
    next_report_ = lines_.bytes() + kBytesBetweenReports;
    if (monitor_.on_progress) monitor_.on_progress(input_.packed_bytes());
    if (monitor_.stop != nullptr && monitor_.stop->requested()) {
      return fail(ErrorKind::stopped, "stopped");
    }
    CARAVEL_TRY(expect_size(lines_.bytes()));
    // Nothing is written after an error: to read on would only cost time.
    return outputs_work();
  }

  /// Whether `unpacked` bytes are within the limits. A few KiB can unpack to more than any disk
  /// holds.
  [[nodiscard]] Result<> expect_size(std::uint64_t unpacked) const {
    if (unpacked > request_.max_unpacked) {
      return fail(ErrorKind::content,
                  fmt::format("unpacks to more than {} bytes (max_unpacked): if it is to be loaded "
                              "all the same, raise max_unpacked and give it in again",
                              request_.max_unpacked));
    }
    // Not a product, which could overflow.
    if (unpacked > kRatioCountsFrom && unpacked / request_.max_ratio > input_.packed_size()) {
      return fail(ErrorKind::content,
                  fmt::format("unpacks to more than {} times its size (max_ratio): if it is to be "
                              "loaded all the same, raise max_ratio and give it in again",
                              request_.max_ratio));
    }
    return {};
  }

  [[nodiscard]] Result<> outputs_work() const {
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
      outputs_.sidecar.buffer().append(sidecar_end_text({result_.sha256, result_.counts}));
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
  RecordReader* records_ = nullptr;
  FormatResult result_;
  std::uint32_t last_date_ = 0;
  std::uint64_t piece_begin_ = kNoPiece;
  std::string first_line_;
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
