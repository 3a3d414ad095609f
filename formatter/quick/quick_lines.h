// The quick way of ordinary lines, from the buffer to the CSV. What it is not sure of it leaves to
// the thorough way: LineSplitter, Matcher, RowWriter. Both write the same, byte for byte; tests and
// a fuzz target compare them.
//
//     09:48:00 03/09  V.1.2683  H.0.0  MT_LOCATION    Lat/Lon:367751738166/-76091438594 [Valid] …⏎
//     └clock─┘└─run──┘└─word─┘└┘└wrd─┘└────run───────────────┘└─implied──┘└┘└─implied─┘└─run─…
//        │       │        │
//        │       │        └─ a value: its end is found sixteen bytes at a time
//        │       └─ a run: literals, blanks, options and dates, which are the same as in one of the
//        │          last lines. One comparison of sixteen bytes, and what they mean is known
//        └─ a clock: the same as in the line before, or parsed
//        ▼
//     MatchState        LineMatcher: a step is a run and a value (program.h). A step that fails is
//        │              asked of the parsers of formatter/patterns; if they say no, the next kind
//        │              goes on where its own steps begin. The last step finds the line's end
//        ▼
//     2012-03-09,09:48:00,V.1.2683,36.7751738166,-76.091438594,V,…⏎
//        │              RecordText: spans are copied sixteen bytes at a time, the date's text is
//        │              that of the line before
//        ▼
//     Output                                   RowWriter::write_sidecar() ──> the sidecar
//
// Of formats with a reader of records, lines are shown to RecordReader::take_ahead() as they stand
// in the buffer: a CSV record without quotes is copied as it is.
//
// Left to the thorough way: lines with blanks at their ends, not of ASCII, with NUL, very long
// ones; kinds whose texts may end later (later_ends.h); records of several lines; the last
// line of each buffer, of which only a part was read.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "formatter/input/line_splitter.h"
#include "formatter/output/rejects.h"
#include "formatter/output/row_writer.h"
#include "formatter/quick/line_matcher.h"
#include "formatter/quick/record_text.h"
#include "formatter/records/record_reader.h"
#include "formatter/rows/counts.h"

namespace caravel::formatter {

/// For one run over one extract, and one thread.
class QuickLines {
 public:
  /// What a run knows of its extract. All of it must outlive the QuickLines.
  struct Setting {
    const Format& format;
    const YearTable& years;
    RowWriter& writer;
    Output& csv;
    Rejects& rejects;
    std::uint64_t log_offset = 0;
    std::size_t max_line = 0;
    std::size_t quick_from = 0;       // bytes ahead, from which on it is worth it
    RecordReader* records = nullptr;  // of formats that have no patterns
  };

  explicit QuickLines(const Setting& setting) : setting_(setting) {}

  /// Takes lines from `lines` until there is one that is to be left to the thorough way; adds them
  /// to `counts`. `last_date` gets the date of the last one whose year came from outside. False if
  /// it took none, as of the first line of the extract.
  bool take(LineSplitter& lines, Counts& counts, std::uint32_t& last_date);

 private:
  /// What is needed once it is known that there are lines enough to be worth it.
  struct Way {
    Way(const Setting& setting, QuickProgram program);
    LineMatcher matcher;
    RecordText text;
  };

  void open();
  struct Taken {
    const char* end = nullptr;  // of the last line that was taken, its LF included
    std::uint64_t lines = 0;
  };
  /// Writes the rows of the lines ahead, or drops them, up to the first that is to be left.
  Taken take_lines(const LineSplitter::Ahead& ahead, Counts& counts, std::uint32_t& last_date);
  /// Writes the line at `line`, which is of no kind, as a reject; its size, or 0 if it is to be
  /// left.
  std::size_t take_reject(const char* line, const LinePlace& place);
  /// The same for formats that have no patterns.
  Taken take_records(const LineSplitter::Ahead& ahead, Counts& counts, std::uint32_t& last_date);
  [[nodiscard]] LinePlace place_of(const LineSplitter::Ahead& ahead, const Taken& taken) const;

  const Setting setting_;
  std::unique_ptr<Way> way_;
  bool is_open_ = false;
  std::string reason_;
  Furthest told_;  // of the last reject, and its words
  std::pair<std::string, std::string> told_words_;
  unsigned in_vain_ = 0;  // calls of take() that took nothing, one after the other
  unsigned pause_ = 0;    // so many calls are not worth a try
};

}  // namespace caravel::formatter
