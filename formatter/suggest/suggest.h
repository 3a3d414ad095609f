// A format for a log that nobody has described yet: sample lines in; a format file out, ready to be
// saved, and how well it fits.
//
//   sample_of       the first lines                                          sample.h
//     │
//     ├─ object_drafts, table_drafts     JSON, CSV and its dialects          candidates.h
//     ├─ pattern_drafts                  any other lines:
//     │    Tokenizer    a line -> chunks -> parts of a type                  shapes/tokens.h,
//     stamps.h │    shapes_of    lines that are alike -> kinds shapes/shapes.h │    write_kind   a
//     kind -> its pattern, with names                    kind_writer.h ▼  Draft, the likeliest
//     first
//   yaml_of, try_format   written, loaded and run over the sample            draft.h, trial.h
//     │  the first that takes 95 % of the lines
//     ▼
//   Suggestion
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "formatter/formats/format.h"
#include "formatter/suggest/sample.h"
#include "formatter/suggest/trial.h"

namespace caravel::formatter {

/// What a good suggestion takes of the sample's lines, in percent.
constexpr std::uint64_t kGoodPercent = 95;

struct Suggestion {
  std::string yaml;        // loads as it is
  std::string about;       // "CSV with semicolons"
  std::string time;        // the value of its key `time`; "" without
  std::string key;         // the same of `key`
  bool structured = true;  // false: each line is one text
  Trial trial;             // over the whole sample
  std::string known;       // a format among those known already that takes as many lines; ""
};

/// Suggests a format called `name` (made fit to be one) for the sample. `known` are formats that
/// would save the work; it may be empty. It never suggests to drop a line.
/// Errors: content if the sample has no line to learn from; those of format_extract().
[[nodiscard]] Result<Suggestion> suggest_format(const Sample& sample, std::string_view name,
                                                const FormatSet& known);

}  // namespace caravel::formatter
