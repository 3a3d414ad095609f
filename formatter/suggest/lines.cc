// Lines of text, described by patterns.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "formatter/patterns/pattern.h"
#include "formatter/suggest/candidates.h"
#include "formatter/suggest/kind_writer.h"
#include "formatter/suggest/record_columns.h"

namespace caravel::formatter {
namespace {

constexpr std::size_t kMostLearnt = 4000;
/// How far into a line its time is looked for, in chunks.
constexpr std::size_t kStampWithin = 8;

/// The first stamp of a line that can be its time; nullptr if there is none.
const Part* stamp_of(const TokenLine& line) {
  for (std::size_t i = 0; i < std::min(kStampWithin, line.chunks.size()); ++i) {
    for (const Part& part : line.chunks[i].parts) {
      if (part.type == PartType::stamp && !kStampShapes[part.shape].time.empty()) return &part;
    }
  }
  return nullptr;
}

bool takes(const Pattern& pattern, std::string_view line) {
  std::string text(line);
  text.append(kReadableBehind + 1, '\n');
  MatchState state;
  state.at[0] = text.data();
  const YearTable years = YearTable::fixed(std::chrono::year(2000));
  return pattern.match(0, text.data() + line.size(), years, state) == Pattern::kMatched;
}

/// The frequent before the rare; but a kind that takes another's lines comes behind it.
void sort_kinds(std::vector<KindDraft>& kinds, bool any_blanks) {
  std::stable_sort(kinds.begin(), kinds.end(),
                   [](const KindDraft& a, const KindDraft& b) { return a.lines > b.lines; });
  std::vector<std::optional<Pattern>> patterns;
  for (const KindDraft& kind : kinds) {
    auto pattern = Pattern::compile(kind.line, any_blanks);
    patterns.emplace_back();
    if (pattern) patterns.back() = std::move(*pattern);
  }
  for (std::size_t i = 1; i < kinds.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const bool hides = patterns[j] && takes(*patterns[j], kinds[i].example);
      const bool is_hidden = patterns[i] && takes(*patterns[i], kinds[j].example);
      if (!hides || is_hidden) continue;
      const auto from = static_cast<std::ptrdiff_t>(i);
      const auto to = static_cast<std::ptrdiff_t>(j);
      std::rotate(kinds.begin() + to, kinds.begin() + from, kinds.begin() + from + 1);
      std::rotate(patterns.begin() + to, patterns.begin() + from, patterns.begin() + from + 1);
      break;
    }
  }
}

/// A pattern whose values are checked and not kept.
std::string without_names(std::string_view pattern) {
  std::string text;
  for (std::size_t open = pattern.find('{'); open != pattern.npos; open = pattern.find('{')) {
    const std::size_t colon = pattern.find(':', open);
    const std::size_t close = pattern.find('}', open);
    text += pattern.substr(0, open + 1);
    text += pattern.substr(colon + 1, close - colon);
    pattern.remove_prefix(close + 1);
  }
  return text.append(pattern);
}

/// Makes drafts of what lines have in common.
class LineDrafts {
 public:
  LineDrafts(const Sample& sample, StampFinder& stamps)
      : repeated_(has_repeated_lines(sample.lines)) {
    Tokenizer tokenizer(stamps);
    for (const std::string_view line : spread(sample.lines, kMostLearnt)) {
      TokenLine tokens = tokenizer.take(line);
      any_blanks_ = any_blanks_ || !tokens.single_blanks;
      const Part* const stamp = stamp_of(tokens);
      if (stamp != nullptr) {
        ++stamped_;
        fractions_ = fractions_ && has_fraction(stamp->text);
        const bool first = stamp->text.data() == line.data();
        if (first) ++leading_[stamp->shape];
      }
      lines_.push_back(std::move(tokens));
    }
    looked_ = lines_.size();
    std::size_t leading = 0;
    for (const auto& [shape, count] : leading_) leading += count;
    const Part* const first = lines_.empty() ? nullptr : stamp_of(lines_.front());
    begins_with_stamp_ = leading * 2 > stamped_ && first != nullptr &&
                         first->text.data() == lines_.front().text.data();
  }

  std::vector<Draft> all() {
    std::vector<Draft> drafts;
    // Where most lines have a time, the others belong to a line before them or are damaged. A stack
    // trace may be longer than what comes between two of them.
    const bool timed = stamped_ * (begins_with_stamp_ ? 10 : 2) >= lines_.size() && stamped_ > 0;
    if (timed)
      std::erase_if(lines_, [](const TokenLine& line) { return stamp_of(line) == nullptr; });
    std::vector<KindDraft> kinds = learn();
    const std::string time = usual_time(kinds);
    if (!time.empty()) {
      if (auto joined = joined_draft(time)) drafts.push_back(std::move(*joined));
      std::vector<KindDraft> with_time;
      for (const KindDraft& kind : kinds) {
        if (kind.time == time) with_time.push_back(kind);
      }
      drafts.push_back(draft_of(with_time, time));
      if (const auto general = general_kind(time)) {
        with_time.push_back(*general);
        drafts.push_back(draft_of(with_time, time));
      }
    }
    KindDraft rest;
    rest.name = "other";
    rest.line = "{Message:rest}";
    rest.captures.push_back({"Message", "", 0, 0, false});
    const auto is_rest = [&](const KindDraft& kind) { return kind.line == rest.line; };
    std::erase_if(kinds, is_rest);
    const bool structured = !kinds.empty();
    if (structured) drafts.push_back(draft_of(kinds, ""));
    kinds.push_back(rest);
    drafts.push_back(draft_of(kinds, ""));
    if (structured) drafts.push_back(draft_of({rest}, ""));
    for (std::size_t i = 0; i < drafts.size(); ++i) {
      if (drafts[i].time.empty() && !time.empty()) {
        drafts[i].notes.emplace_back(
            "Not every line has a time, so none can be the row's time. If the lines without one");
        drafts[i].notes.emplace_back("do not matter, delete the last kinds and set `time`.");
      }
    }
    return drafts;
  }

 private:
  std::vector<KindDraft> learn(ShapeEnd end = ShapeEnd::any) {
    std::vector<KindDraft> kinds;
    UniqueNames names;
    for (const LineShape& shape : shapes_of(lines_, end)) {
      if (shape.lines.empty()) continue;
      KindDraft kind = write_kind(shape, lines_);
      const auto same = [&](const KindDraft& other) { return other.line == kind.line; };
      if (std::any_of(kinds.begin(), kinds.end(), same)) continue;
      kind.name = names.give(kind.name);
      kinds.push_back(std::move(kind));
    }
    return kinds;
  }

  /// Where lines without a time go on with the line before them (stack traces): a format that joins
  /// them. A loader that cannot refuses it.
  [[nodiscard]] std::optional<Draft> joined_draft(const std::string& time) {
    const std::size_t unstamped = looked_ - stamped_;
    const auto general = general_kind(time);
    if (!begins_with_stamp_ || unstamped * 50 < looked_ || !general) return std::nullopt;
    std::vector<KindDraft> with_time;
    for (KindDraft& kind : learn(ShapeEnd::message)) {
      if (kind.time == time && kind.line.ends_with(":rest}")) with_time.push_back(std::move(kind));
    }
    // What takes a record of several lines must end in a text that may hold them.
    with_time.push_back(*general);
    Draft draft = draft_of(with_time, time);
    // The lines of stack traces are alike, and are no records.
    std::vector<std::string_view> first_lines;
    for (const TokenLine& line : lines_) first_lines.push_back(line.text);
    set_identity(draft, true, fractions_, has_repeated_lines(first_lines));
    const std::string_view stamp =
        std::string_view(general->line).substr(0, general->line.rfind(' '));
    draft.settings.emplace_back("starts", yaml_scalar(without_names(stamp)));
    draft.notes.emplace_back(
        "Lines that do not begin with a time belong to the record before them.");
    return draft;
  }

  /// What most lines make of the key `time`.
  static std::string usual_time(const std::vector<KindDraft>& kinds) {
    std::map<std::string, std::size_t> counts;
    for (const KindDraft& kind : kinds) {
      if (!kind.time.empty()) counts[kind.time] += kind.lines;
    }
    const auto most = std::max_element(counts.begin(), counts.end(),
                                       [](auto& a, auto& b) { return a.second < b.second; });
    return most == counts.end() ? "" : most->first;
  }

  /// A kind for every line that begins with the usual stamp.
  [[nodiscard]] std::optional<KindDraft> general_kind(const std::string& time) const {
    for (const auto& [shape, count] : leading_) {
      if (kStampShapes[shape].time != time || count * 2 < stamped_) continue;
      KindDraft kind;
      kind.name = "other";
      kind.line = std::string(kStampShapes[shape].pattern) + " {Message:rest}";
      kind.time = time;
      std::string_view left = kind.line;
      for (std::size_t open = left.find('{'); open != left.npos; open = left.find('{')) {
        left.remove_prefix(open + 1);
        kind.captures.push_back({std::string(left.substr(0, left.find(':'))), "", 0, 0, false});
      }
      return kind;
    }
    return std::nullopt;
  }

  [[nodiscard]] Draft draft_of(std::vector<KindDraft> kinds, const std::string& time) const {
    Draft draft;
    draft.any_blanks = any_blanks_;
    sort_kinds(kinds, any_blanks_);
    draft.time = time;
    set_identity(draft, !time.empty(), fractions_, repeated_);
    for (const KindDraft& kind : kinds) {
      for (const ColumnDraft& capture : kind.captures) add_column(draft.columns, capture);
    }
    // A key must be captured by each kind.
    std::vector<ColumnDraft> in_all;
    for (const ColumnDraft& column : draft.columns) {
      const bool all = std::all_of(kinds.begin(), kinds.end(), [&](const KindDraft& kind) {
        return std::any_of(kind.captures.begin(), kind.captures.end(),
                           [&](const ColumnDraft& capture) { return capture.name == column.name; });
      });
      if (all) in_all.push_back(column);
    }
    draft.key = choose_key(in_all);
    const bool only_rest = kinds.size() == 1 && kinds[0].line == "{Message:rest}";
    draft.about = only_rest ? "lines of text without a structure that was recognised"
                            : "suggested from sample lines";
    draft.kinds = std::move(kinds);
    return draft;
  }

  static void add_column(std::vector<ColumnDraft>& columns, const ColumnDraft& capture) {
    const auto known = std::find_if(columns.begin(), columns.end(), [&](const ColumnDraft& column) {
      return column.name == capture.name;
    });
    if (known == columns.end()) {
      columns.push_back(capture);
      return;
    }
    // How often a value comes again is told by the most frequent kind, which is the first.
    known->may_be_key = known->may_be_key && capture.may_be_key;
  }

  std::vector<TokenLine> lines_;
  std::map<std::size_t, std::size_t> leading_;  // stamps at the line's begin, by shape
  bool begins_with_stamp_ = false;              // the log does, and so do most lines that have one
  std::size_t looked_ = 0;
  std::size_t stamped_ = 0;
  bool any_blanks_ = false;
  bool fractions_ = true;
  bool repeated_ = false;
};

}  // namespace

std::vector<Draft> pattern_drafts(const Sample& sample, StampFinder& stamps) {
  return LineDrafts(sample, stamps).all();
}

}  // namespace caravel::formatter
