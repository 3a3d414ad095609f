#include "formatter/quick/program.h"

#include <algorithm>
#include <string>

#include "base/bytes/sixteen_bytes.h"
#include "formatter/patterns/capture_types.h"

namespace caravel::formatter {
namespace {

/// The first byte of what stands ahead of the op's value; nothing if the value comes at once.
std::optional<char> lead_of(const Op& op) {
  if (op.blanks_before) return ' ';
  if (op.text.size() > 0) return op.text.text().front();
  return std::nullopt;
}

/// Whether one of several words is told by its own bytes: none is the beginning of another.
bool are_apart(const std::vector<Option>& options) {
  for (const Option& one : options) {
    for (const Option& other : options) {
      if (&one != &other && other.word.text().starts_with(one.word.text())) return false;
    }
  }
  return true;
}

/// Whether no option goes on behind the byte that ends every other word.
bool end_as_words_do(const Op& op) {
  return std::none_of(op.options.begin(), op.options.end(), [&](const Option& option) {
    const std::string& word = option.word.text();
    return std::any_of(word.begin(), word.end(), [&](char c) { return ends_word(c, op.stop); });
  });
}

QuickValue value_of(const Op& op) {
  switch (op.type) {
    case CaptureType::word:
      return ends_word(op.stop, ' ') ? QuickValue::word : QuickValue::word_up_to;
    case CaptureType::integer:
    case CaptureType::implied:
      return QuickValue::number;
    case CaptureType::time:
      return QuickValue::clock;
    case CaptureType::quoted:
      return QuickValue::quoted;
    case CaptureType::text:
      return QuickValue::text;
    case CaptureType::rest:
      return QuickValue::rest;
    default:
      return QuickValue::other;
  }
}

/// The steps of one kind, without what happens on failure.
std::vector<QuickStep> steps_of(const Pattern& pattern, std::uint16_t kind) {
  const std::vector<Op>& ops = pattern.ops();
  std::vector<QuickStep> steps(1);
  for (std::size_t i = 0; i <= ops.size(); ++i) {
    if (i < ops.size() && is_fixed(ops, i)) continue;
    QuickStep& step = steps.back();
    step.index = static_cast<std::uint16_t>(steps.size() - 1);
    step.kind = kind;
    step.value_op = static_cast<std::uint16_t>(i);
    if (i == ops.size()) break;
    const Op& op = ops[i];
    step.value = value_of(op);
    step.op = &op;
    step.stop = op.stop;
    if (op.type == CaptureType::implied) step.whole = op.arg;
    step.capture = op.capture;
    step.may_have_fraction = op.type == CaptureType::time && op.arg != 0;
    step.blanks_are_open = op.blanks_before && op.text.size() == 0;
    steps.emplace_back();
    steps.back().first_op = static_cast<std::uint16_t>(i + 1);
  }
  for (QuickStep& step : steps) {
    const bool leads = step.op != nullptr && lead_of(*step.op).has_value();
    if (step.first_op < step.value_op || leads) continue;
    // A run of nothing stands everywhere.
    std::fill(std::begin(step.runs[0].free), std::end(step.runs[0].free), 0xffff);
  }
  return steps;
}

/// How many leading steps two kinds have in common whose first `ops` ops are the same. An op
/// belongs to a run or not by what follows it, so one of the same ops may be a value in one kind
/// only.
std::size_t common_steps(const std::vector<QuickStep>& steps, const std::vector<QuickStep>& others,
                         std::size_t ops) {
  std::size_t common = 0;
  while (steps[common].value_op < ops && steps[common].value_op == others[common].value_op) {
    ++common;
  }
  return common;
}

bool holds_no_blank(const std::string& text) { return text.find_first_of(" \t") == text.npos; }

/// Whether neither the literal of an op nor a value of its type can hold a blank.
bool is_without_blanks(const Op& op) {
  if (!holds_no_blank(op.text.text())) return false;
  switch (op.type) {
    case CaptureType::literal:
    case CaptureType::word:
    case CaptureType::integer:
    case CaptureType::implied:
    case CaptureType::time:
    case CaptureType::month_day:
      return true;
    case CaptureType::bracketed:
    case CaptureType::choice:
      return std::all_of(op.options.begin(), op.options.end(),
                         [](const Option& option) { return holds_no_blank(option.word.text()); });
    default:
      return false;
  }
}

/// Captures without a name are only checked, but for the date that the year's check asks for.
std::uint64_t needed_slots(const Kind& kind) {
  std::uint64_t slots = 0;
  const std::vector<std::string>& names = kind.pattern.names();
  for (std::size_t slot = 0; slot < names.size(); ++slot) {
    if (!names[slot].empty() || kind.month_day == slot) slots |= std::uint64_t{1} << slot;
  }
  return slots;
}

}  // namespace

MetRun::MetRun(std::string_view text, std::span<const Captured> captures, std::uint16_t its_step)
    : size(static_cast<std::uint8_t>(text.size())),
      has_more(text.size() > 16 || !captures.empty()),
      step(its_step) {
  text.copy(bytes, text.size());
  for (std::size_t i = 0; i < std::size(free); ++i) {
    const std::size_t used = std::min<std::size_t>(size - std::min<std::size_t>(size, 16 * i), 16);
    free[i] = kAllSixteen & ~((std::uint32_t{1} << used) - 1);
  }
  std::copy(captures.begin(), captures.end(), captured);
}

void QuickStep::learn(const MetRun& run) {
  const auto is_it = [&](const MetRun& met) { return met.is_met() && met.text() == run.text(); };
  // It stood there, and the value behind it was not plain.
  if (std::any_of(std::begin(runs), std::end(runs), is_it)) return;
  // Only one of its own kind can be the first.
  MetRun* const begin = run.step == number ? runs : runs + 1;
  MetRun* place =
      std::find_if(begin, std::end(runs), [](const MetRun& met) { return !met.is_met(); });
  if (place == std::end(runs)) {
    // Only what comes twice in a row drives another one out: text that is never the same again is
    // not worth it.
    if (!is_it(missed)) {
      missed = run;
      return;
    }
    --place;
  }
  *place = run;
  place->hits = 0;
}

bool is_fixed(const std::vector<Op>& ops, std::size_t index) {
  const Op& op = ops[index];
  if (op.type == CaptureType::literal) return true;
  if (index + 1 == ops.size()) return false;
  // Parsers look one byte further, to see that their value has ended: it must be one of the run.
  const std::optional<char> next = lead_of(ops[index + 1]);
  if (!next) return false;
  switch (op.type) {
    case CaptureType::date:
    case CaptureType::month_day:
      return true;
    case CaptureType::bracketed:
      return are_apart(op.options) && end_as_words_do(op);
    case CaptureType::choice:
      return op.any_word ? end_as_words_do(op) : are_apart(op.options);
    case CaptureType::offset:
      // "+01:" may go on: "+01:30".
      return *next != ':' && !is_digit(*next);
    default:
      return false;
  }
}

std::optional<QuickProgram> QuickProgram::lower(const Format& format) {
  if (format.reader != Reader::pattern || format.kinds.empty()) return std::nullopt;
  std::vector<std::vector<QuickStep>> all;
  for (const Kind& kind : format.kinds) {
    all.push_back(steps_of(kind.pattern, static_cast<std::uint16_t>(all.size())));
  }
  std::vector<std::size_t> first(1, 0);
  for (const auto& steps : all) first.push_back(first.back() + steps.size());
  if (first.back() >= QuickStep::kUnsure) return std::nullopt;

  QuickProgram program;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Pattern& pattern = format.kinds[i].pattern;
    program.needed |= needed_slots(format.kinds[i]);
    for (QuickStep& step : all[i]) {
      for (std::size_t op = step.first_op; op <= step.value_op; ++op) {
        std::uint16_t next = QuickStep::kNone;
        for (std::size_t k = i + 1; k < all.size() && next == QuickStep::kNone; ++k) {
          const std::size_t shared = pattern.shared_with(format.kinds[k].pattern);
          // What failed here fails there too.
          if (op < shared) continue;
          next = static_cast<std::uint16_t>(first[k] + common_steps(all[i], all[k], shared));
        }
        // The matcher would try the later ends of the text before the next kind.
        const auto& texts = pattern.texts();
        if (!texts.empty() && op > texts.front()) next = QuickStep::kUnsure;
        step.on_failure.push_back(next);
      }
      step.number = static_cast<std::uint16_t>(program.steps.size());
      for (MetRun& run : step.runs) run.step = step.number;
      program.steps.push_back(step);
    }
  }
  program.blanks_are_free =
      std::all_of(format.kinds.begin(), format.kinds.end(), [](const Kind& kind) {
        const std::vector<Op>& ops = kind.pattern.ops();
        return std::all_of(ops.begin(), ops.end(), is_without_blanks);
      });
  return program;
}

}  // namespace caravel::formatter
