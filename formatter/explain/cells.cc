#include "formatter/explain/cells.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/excerpt.h"

namespace caravel::formatter {
namespace {

constexpr std::string_view kIndent = "  ";
constexpr std::size_t kMostOfText = 48;   // columns of one cell
constexpr std::size_t kMostOfLabel = 56;  // with its value
constexpr std::size_t kMostCells = 200;

/// A cell that has its place in a row.
struct Placed {
  std::string text;
  std::string label;
  std::size_t column = 0;
  std::size_t columns = 0;        // of the text
  std::size_t label_columns = 0;  // 0 without a label
  bool labelled = false;
};

std::string blanks(std::size_t count) { return std::string(count, ' '); }

/// Places cells in a row until it is full.
class Row {
 public:
  Row(Spacing spacing, std::size_t width) : spacing_(spacing), width_(width) {}

  /// False if there is no room for the cell, and something stands in the row already.
  bool take(const Cell& cell) {
    Placed placed;
    placed.text = abbreviated(cell.text, kMostOfText);
    placed.label = abbreviated(cell.label, kMostOfLabel);
    placed.labelled = !cell.label.empty();
    placed.columns = columns_of(placed.text);
    placed.label_columns = columns_of(placed.label);
    placed.column = next_;
    const std::size_t room = spacing_ == Spacing::table
                                 ? std::max(placed.columns, placed.label_columns)
                                 : placed.columns;
    if (!cells_.empty() && next_ + room > width_) return false;
    next_ += room + (spacing_ == Spacing::table ? 2 : 0);
    cells_.push_back(std::move(placed));
    return true;
  }

  void append_to(StyledText& out) const {
    append_texts(out);
    if (spacing_ == Spacing::line) append_underlines(out);
    append_labels(out);
  }

 private:
  void append_texts(StyledText& out) const {
    out.add(kIndent);
    std::size_t at = 0;
    for (const Placed& cell : cells_) {
      // No blanks behind the last text: an empty value has none before it.
      if (cell.text.empty()) continue;
      out.add(blanks(cell.column - at) + cell.text);
      at = cell.column + cell.columns;
    }
    out.add("\n");
  }

  void append_underlines(StyledText& out) const {
    std::string line;
    for (const Placed& cell : cells_) {
      if (!cell.labelled) continue;
      line += blanks(cell.column - std::min(cell.column, line.size()));
      // Of a value that is empty, the place where it would stand.
      line += cell.columns > 0 ? std::string(cell.columns, '-') : "^";
    }
    if (line.empty()) return;
    out.add(kIndent);
    out.add(Style::faint, line);
    out.add("\n");
  }

  /// Each label in the first line below that has room for it.
  void append_labels(StyledText& out) const {
    struct LabelLine {
      std::vector<const Placed*> labels;
      std::size_t end = 0;
    };
    std::vector<LabelLine> lines;
    for (const Placed& cell : cells_) {
      if (!cell.labelled) continue;
      auto line = std::find_if(lines.begin(), lines.end(), [&](const LabelLine& candidate) {
        return candidate.end == 0 || candidate.end < cell.column;
      });
      if (line == lines.end()) line = lines.insert(lines.end(), LabelLine{});
      line->labels.push_back(&cell);
      line->end = cell.column + cell.label_columns;
    }
    for (const LabelLine& line : lines) {
      out.add(kIndent);
      std::size_t at = 0;
      for (const Placed* cell : line.labels) {
        out.add(blanks(cell->column - at));
        out.add(Style::name, cell->label);
        at = cell->column + cell->label_columns;
      }
      out.add("\n");
    }
  }

  Spacing spacing_;
  std::size_t width_;
  std::size_t next_ = 0;
  std::vector<Placed> cells_;
};

}  // namespace

void append_cells(const std::vector<Cell>& cells, Spacing spacing, std::size_t width,
                  StyledText& out) {
  const std::size_t room = width - kIndent.size();
  const std::size_t shown = std::min(cells.size(), kMostCells);
  Row row(spacing, room);
  for (std::size_t i = 0; i < shown; ++i) {
    if (row.take(cells[i])) continue;
    row.append_to(out);
    row = Row(spacing, room);
    (void)row.take(cells[i]);  // the first one of a row always has room
  }
  if (shown > 0) row.append_to(out);
  if (shown < cells.size()) {
    out.add(Style::faint, fmt::format("{}… and {} more\n", kIndent, cells.size() - shown));
  }
}

}  // namespace caravel::formatter
