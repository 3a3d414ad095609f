#include "formatter/suggest/shapes/shapes.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "formatter/suggest/shapes/shape_keys.h"

namespace caravel::formatter {
namespace {

using Lines = std::vector<std::size_t>;

/// So many shapes are a description; more are a list of examples.
constexpr std::size_t kMostShapes = 7;
/// A shape with fewer lines than this, on average, is no kind but a coincidence.
constexpr std::size_t kLeastLinesPerShape = 4;
/// How many of the lines must agree: a few odd ones are left over.
constexpr std::size_t kMostPercent = 96;
/// What is left over is looked at again, this deep.
constexpr int kMostRounds = 4;
/// Columns of free text between two that are not: beyond that the message has begun.
constexpr std::size_t kMostPlainBetween = 2;

bool is_most(std::size_t part, std::size_t all) { return part * 100 >= all * kMostPercent; }

class ShapeFinder {
 public:
  ShapeFinder(std::vector<TokenLine>& lines, ShapeEnd end) : keys_(lines), end_(end) {}

  std::vector<LineShape> find(const Lines& lines, int rounds = 0) {
    if (lines.empty()) return {};
    std::vector<LineShape> shapes;
    if (end_ == ShapeEnd::any) shapes = whole_shapes(lines);
    if (end_ == ShapeEnd::any && shapes.empty()) shapes = merged_shapes(lines);
    if (shapes.empty()) shapes = begun_shapes(lines);
    // What is left over may have a shape of its own.
    std::set<std::size_t> left(lines.begin(), lines.end());
    for (const LineShape& shape : shapes) {
      for (const std::size_t line : shape.lines) left.erase(line);
    }
    const bool few = left.size() < kLeastLinesPerShape || left.size() * 50 < lines.size();
    if (rounds < kMostRounds && !few && left.size() < lines.size()) {
      for (LineShape& shape : find({left.begin(), left.end()}, rounds + 1)) {
        shapes.push_back(std::move(shape));
      }
    }
    return shapes;
  }

 private:
  /// The biggest groups that hold most of the lines together; none if there are too many.
  template <class Key>
  static std::vector<Lines> biggest(std::map<Key, Lines>& groups, std::size_t all,
                                    std::size_t most) {
    std::vector<Lines> sorted;
    for (auto& [key, lines] : groups) sorted.push_back(std::move(lines));
    std::stable_sort(sorted.begin(), sorted.end(),
                     [](const Lines& a, const Lines& b) { return a.size() > b.size(); });
    std::size_t covered = 0;
    std::size_t count = 0;
    while (count < sorted.size() && !is_most(covered, all)) covered += sorted[count++].size();
    const std::size_t likely = std::max<std::size_t>(1, all / kLeastLinesPerShape);
    if (count > std::min(most, likely)) return {};
    // Small groups that repeat themselves are kinds too, as long as the list stays short.
    while (count < std::min(sorted.size(), most) && sorted[count].size() >= 3) ++count;
    sorted.resize(count);
    return sorted;
  }

  /// Free text of a fixed length looks like a shape. Words side by side that vary are a message:
  /// three of letters, or five of any kind.
  void cut_at_message(LineShape& shape) const {
    std::size_t words = 0;
    std::size_t varied = 0;
    for (std::size_t column = 0; column < shape.columns.size(); ++column) {
      const Variety variety = variety_of(shape, column);
      varied = variety == Variety::constant ? 0 : varied + 1;
      if (variety == Variety::values) varied = 0;
      words = variety == Variety::letters ? words + 1 : 0;
      if (words < 3 && varied < 5) continue;
      shape.columns.resize(column + 1 - (words >= 3 ? words : varied));
      shape.rest = true;
      return;
    }
  }

  /// What stands in a column: values of a type, or words that are always the same, vary, or vary
  /// and are made of letters.
  enum class Variety { values, constant, words, letters };
  [[nodiscard]] Variety variety_of(const LineShape& shape, std::size_t column) const {
    std::set<std::string_view> seen;
    std::size_t letters = 0;
    for (const std::size_t line : shape.lines) {
      if (!shape.columns[column].mixed && keys_.of(line)[column] != ShapeKeys::kPlainWord) {
        return Variety::values;
      }
      const std::string_view text = keys_.chunk(line, column).text;
      if (text.find_first_of("0123456789/=_@:") == text.npos) ++letters;
      if (seen.size() < 2) seen.insert(text);
    }
    if (seen.size() < 2) return Variety::constant;
    return letters * 2 > shape.lines.size() ? Variety::letters : Variety::words;
  }

  /// Lines that are alike from end to end.
  [[nodiscard]] std::vector<LineShape> whole_shapes(const Lines& lines) const {
    std::map<std::vector<std::size_t>, Lines> groups;
    for (const std::size_t line : lines) groups[keys_.of(line)].push_back(line);
    join_missing(groups);
    std::vector<LineShape> shapes;
    for (Lines& group : biggest(groups, lines.size(), kMostShapes)) {
      LineShape shape;
      shape.columns.resize(keys_.of(group.front()).size());
      shape.lines = std::move(group);
      finish(shape);
      shapes.push_back(std::move(shape));
    }
    return shapes;
  }

  /// A dash where other lines have a word is a word that is missing: such lines are of one kind.
  void join_missing(std::map<std::vector<std::size_t>, Lines>& groups) const {
    for (auto group = groups.begin(); group != groups.end();) {
      std::vector<std::size_t> keys = group->first;
      bool joined = false;
      for (std::size_t& key : keys) {
        if (joined || key != ShapeKeys::kDash) continue;
        const std::size_t dash = std::exchange(key, ShapeKeys::kPlainWord);
        const auto other = groups.find(keys);
        joined = other != groups.end();
        if (!joined) {
          key = dash;
        } else {
          other->second.insert(other->second.end(), group->second.begin(), group->second.end());
          // The first line tells how a chunk is taken apart: a word and a dash are taken alike.
          std::sort(other->second.begin(), other->second.end());
        }
      }
      group = joined ? groups.erase(group) : std::next(group);
    }
  }

  /// Lines that are as long, and alike but for some of their words.
  [[nodiscard]] std::vector<LineShape> merged_shapes(const Lines& lines) const {
    std::map<std::size_t, Lines> groups;
    for (const std::size_t line : lines) groups[keys_.of(line).size()].push_back(line);
    std::vector<LineShape> shapes;
    for (Lines& group : biggest(groups, lines.size(), kMostShapes / 2)) {
      LineShape shape;
      shape.columns.resize(keys_.of(group.front()).size());
      shape.lines = std::move(group);
      std::size_t mixed = 0;
      for (std::size_t column = 0; column < shape.columns.size(); ++column) {
        if (!merge(shape, column)) return {};
        mixed += shape.columns[column].mixed ? 1 : 0;
      }
      if (mixed * 2 > shape.columns.size()) return {};
      finish(shape);
      shapes.push_back(std::move(shape));
    }
    return shapes;
  }

  /// Makes one column of what stands in the same place: the way in which most are taken apart, or
  /// their whole. False if neither can be.
  bool merge(LineShape& shape, std::size_t column) const {
    std::map<std::size_t, std::size_t> counts;
    for (const std::size_t line : shape.lines) ++counts[keys_.of(line)[column]];
    if (counts.size() == 1) return true;
    const auto best = std::max_element(counts.begin(), counts.end(),
                                       [](auto& a, auto& b) { return a.second < b.second; });
    if (is_most(best->second, shape.lines.size()) && best->first != ShapeKeys::kPlainWord) {
      std::erase_if(shape.lines,
                    [&](std::size_t line) { return keys_.of(line)[column] != best->first; });
      return true;
    }
    // The program and its number, or the program alone, are better told apart.
    if (keys_.ends_in_colon(best->first)) return false;
    shape.columns[column].mixed = true;
    return std::all_of(shape.lines.begin(), shape.lines.end(),
                       [&](std::size_t line) { return is_one_word(line, column); });
  }

  [[nodiscard]] bool is_one_word(std::size_t line, std::size_t column) const {
    return keys_.has_chunk(line, column) &&
           keys_.chunk(line, column).text.find_first_of(" \t") == std::string_view::npos;
  }

  /// Lines that begin alike; behind that stands the rest.
  [[nodiscard]] std::vector<LineShape> begun_shapes(const Lines& lines) const {
    LineShape shape;
    shape.lines = lines;
    std::size_t settled = 0;  // columns up to the last one that is more than words of a message
    LineShape at_settled = shape;
    for (std::size_t column = 0; column < kMostChunks; ++column) {
      if (column > settled + kMostPlainBetween) break;
      Lines with;
      std::map<std::size_t, std::size_t> counts;
      for (const std::size_t line : shape.lines) {
        if (!keys_.has_chunk(line, column)) continue;
        with.push_back(line);
        ++counts[keys_.of(line)[column]];
      }
      if (with.empty() || !is_most(with.size(), shape.lines.size())) break;
      const auto best = std::max_element(counts.begin(), counts.end(),
                                         [](auto& a, auto& b) { return a.second < b.second; });
      shape.lines = std::move(with);
      if (auto split = split_by_program(shape.lines, column, counts); !split.empty()) return split;
      shape.columns.emplace_back();
      bool plain = best->first == ShapeKeys::kPlainWord;
      if (is_most(best->second, shape.lines.size()) && !plain) {
        std::erase_if(shape.lines,
                      [&](std::size_t line) { return keys_.of(line)[column] != best->first; });
      } else if (counts.size() > 1) {
        plain = true;
        shape.columns.back().mixed = true;
        // What is not one word is left over; too much of it is a message.
        const std::size_t before = shape.lines.size();
        std::erase_if(shape.lines, [&](std::size_t line) { return !is_one_word(line, column); });
        if (!is_most(shape.lines.size(), before)) break;
      }
      if (!plain) {
        settled = column + 1;
        at_settled = shape;
      }
    }
    shape = std::move(at_settled);
    const bool goes_on = std::any_of(shape.lines.begin(), shape.lines.end(), [&](std::size_t line) {
      return keys_.of(line).size() > shape.columns.size();
    });
    shape.rest = goes_on || shape.columns.empty();
    // Behind the columns a blank must stand before the rest can: lines that end there are left
    // over, unless that is all of them.
    if (goes_on) {
      std::erase_if(shape.lines, [&](std::size_t line) {
        return keys_.of(line).size() == shape.columns.size();
      });
    }
    return {shape};
  }

  /// Where two ways to end in a colon hold most of the lines ("sshd[17]:" and "kernel:"), the
  /// shapes of each; else none.
  [[nodiscard]] std::vector<LineShape> split_by_program(
      const Lines& lines, std::size_t column,
      const std::map<std::size_t, std::size_t>& counts) const {
    std::size_t covered = 0;
    std::vector<std::size_t> programs;
    for (const auto& [key, count] : counts) {
      if (!keys_.ends_in_colon(key) || count < kLeastLinesPerShape ||
          is_most(count, lines.size())) {
        continue;
      }
      programs.push_back(key);
      covered += count;
    }
    if (programs.size() < 2 || programs.size() > 3 || !is_most(covered, lines.size())) return {};
    std::vector<LineShape> shapes;
    for (const std::size_t program : programs) {
      Lines group;
      for (const std::size_t line : lines) {
        if (keys_.of(line)[column] == program) group.push_back(line);
      }
      for (LineShape& shape : begun_shapes(group)) shapes.push_back(std::move(shape));
    }
    return shapes;
  }

  void finish(LineShape& shape) const {
    // The chunk that stands for what was not looked at is no column.
    if (!keys_.has_chunk(shape.lines.front(), shape.columns.size() - 1)) {
      shape.columns.pop_back();
      shape.rest = true;
    }
    cut_at_message(shape);
  }

  ShapeKeys keys_;
  ShapeEnd end_;
};

}  // namespace

std::vector<LineShape> shapes_of(std::vector<TokenLine>& lines, ShapeEnd end) {
  Lines all(lines.size());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
  std::vector<LineShape> shapes = ShapeFinder(lines, end).find(all);
  std::stable_sort(shapes.begin(), shapes.end(), [](const LineShape& a, const LineShape& b) {
    return a.lines.size() > b.lines.size();
  });
  return shapes;
}

}  // namespace caravel::formatter
