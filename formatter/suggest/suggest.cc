#include "formatter/suggest/suggest.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "formatter/records/matcher.h"
#include "formatter/suggest/candidates.h"
#include "formatter/suggest/draft.h"
#include "formatter/suggest/shapes/stamps.h"

namespace caravel::formatter {
namespace {

/// Drafts are weighed with so much of the sample; only the one that is taken is run over all.
constexpr std::size_t kWeighedBytes = std::size_t{1} << 20;

std::string_view head_of(std::string_view text) {
  if (text.size() <= kWeighedBytes) return text;
  const std::size_t end = text.rfind('\n', kWeighedBytes);
  return end == text.npos ? text : text.substr(0, end + 1);
}

/// The line of that number, from 1.
std::string line_of(std::string_view text, std::uint64_t number) {
  for (; number > 1; --number) text.remove_prefix(std::min(text.size(), text.find('\n') + 1));
  return std::string(trim_line(text.substr(0, text.find('\n'))));
}

struct Weighed {
  Draft draft;
  Trial trial;
};

/// Kinds that took no line are left out: the sample does not speak for them.
bool forget_unused_kinds(Draft& draft, const Trial& trial) {
  std::vector<KindDraft> used;
  for (std::size_t i = 0; i < draft.kinds.size() && i < trial.kinds.size(); ++i) {
    if (trial.kinds[i].rows > 0) used.push_back(draft.kinds[i]);
  }
  if (used.empty() || used.size() == draft.kinds.size()) return false;
  draft.kinds = std::move(used);
  std::erase_if(draft.columns, [&](const ColumnDraft& column) {
    return std::none_of(draft.kinds.begin(), draft.kinds.end(), [&](const KindDraft& kind) {
      return std::any_of(kind.captures.begin(), kind.captures.end(),
                         [&](const ColumnDraft& capture) { return capture.name == column.name; });
    });
  });
  return true;
}

/// The draft as it is suggested, run over `bytes`, which stand for `text`.
Result<Weighed> weigh(Draft draft, std::string_view bytes, std::string_view text) {
  CARAVEL_ASSIGN_OR_RETURN(auto trial, try_format(yaml_of(draft), bytes));
  if (forget_unused_kinds(draft, trial)) {
    CARAVEL_ASSIGN_OR_RETURN(trial, try_format(yaml_of(draft), bytes));
  }
  for (std::size_t i = 0; i < draft.kinds.size() && i < trial.kinds.size(); ++i) {
    draft.kinds[i].lines = trial.kinds[i].rows;
    draft.kinds[i].example = line_of(text, trial.kinds[i].first);
  }
  return Weighed{std::move(draft), std::move(trial)};
}

/// The first draft that takes enough of the sample, else the one that takes most of it. A draft
/// that the loader refuses is passed over: drafts may speak of keys that it does not know.
Result<Weighed> choose(std::vector<Draft> drafts, const Sample& sample) {
  std::optional<Weighed> best;
  const std::string_view all = sample.bytes();
  // A line of UTF-16 does not end with a byte.
  const std::string_view head = sample.encoding == "utf-16" ? all : head_of(all);
  for (Draft& draft : drafts) {
    auto weighed = weigh(std::move(draft), head, sample.view());
    if (weighed && weighed->trial.takes(kGoodPercent) && head.size() < all.size()) {
      weighed = weigh(std::move(weighed->draft), all, sample.view());
    }
    if (!weighed) {
      if (weighed.error().kind == ErrorKind::usage) continue;
      return tl::unexpected(weighed.error());
    }
    const auto share = [](const Trial& trial) {
      return static_cast<double>(trial.taken) /
             static_cast<double>(std::max<std::uint64_t>(1, trial.lines));
    };
    const bool better = !best || share(weighed->trial) > share(best->trial);
    if (better) best = std::move(*weighed);
    if (best->trial.takes(kGoodPercent)) break;
  }
  if (!best) return fail(ErrorKind::fault, "internal error: no draft of a format loads");
  if (best->trial.lines == 0 || head.size() == all.size()) return std::move(*best);
  return weigh(std::move(best->draft), all, sample.view());
}

/// A known format that takes as many of the lines as the suggestion does.
std::string find_known(const FormatSet& known, std::string_view text, const Trial& suggested) {
  std::string found;
  double most = 0;
  for (const auto& format : known.all()) {
    // What takes anything would take this too, and say nothing.
    if (!format->detect || format->reader != Reader::pattern) continue;
    const auto trial = try_format(*format, text);
    if (!trial || !trial->takes(kGoodPercent)) continue;
    const double share = static_cast<double>(trial->taken) / static_cast<double>(trial->lines);
    if (share <= most || trial->lines == 0 || suggested.lines == 0) continue;
    most = share;
    found = format->name;
  }
  return found;
}

}  // namespace

Result<Suggestion> suggest_format(const Sample& sample, std::string_view name,
                                  const FormatSet& known) {
  if (sample.lines.empty()) {
    return fail(ErrorKind::content,
                sample.unreadable > 0
                    ? "none of its lines is UTF-8 text: no format can be suggested"
                    : "it has no line that is not blank: no format can be suggested");
  }
  StampFinder stamps(sample.lines);
  std::vector<Draft> drafts = object_drafts(sample, stamps);
  if (drafts.empty()) drafts = table_drafts(sample, stamps);
  for (Draft& draft : pattern_drafts(sample, stamps)) drafts.push_back(std::move(draft));
  std::string fit = name_from(name.substr(0, name.find_first_of('.')));
  if (fit.empty() || fit == "auto") fit = "suggested";
  for (Draft& draft : drafts) {
    draft.name = fit;
    if (!sample.encoding.empty()) draft.settings.emplace_back("encoding", sample.encoding);
    draft.notes.insert(
        draft.notes.begin(),
        "Suggested by `caravel format --suggest`: look through the names before use.");
  }
  CARAVEL_ASSIGN_OR_RETURN(auto chosen, choose(std::move(drafts), sample));
  Suggestion suggestion;
  suggestion.structured = chosen.draft.reader != "pattern" || chosen.draft.kinds.size() > 1 ||
                          chosen.draft.kinds.empty() ||
                          chosen.draft.kinds[0].line != "{Message:rest}";
  suggestion.about = chosen.draft.about;
  suggestion.time = chosen.draft.time;
  suggestion.key = chosen.draft.key;
  suggestion.yaml = yaml_of(chosen.draft);
  suggestion.trial = std::move(chosen.trial);
  suggestion.known = find_known(known, head_of(sample.bytes()), suggestion.trial);
  return suggestion;
}

}  // namespace caravel::formatter
