#include "formatter/patterns/make_op.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "base/units.h"
#include "formatter/patterns/capture_types.h"

namespace caravel::formatter {
namespace {

/// The most options of one capture: Op::named_options counts them in one byte.
constexpr std::size_t kMaxOptions = 255;

/// A 64-bit number has 19 digits at most, so a point further to the right is a mistake.
constexpr unsigned kMostDigits = 18;

/// The error for an argument that the type `row` does not take.
tl::unexpected<Error> refuse(const CaptureRow& row, std::string_view argument) {
  return fail(ErrorKind::usage, fmt::format("{}: cannot take '({})'", row.name, argument));
}

/// Reads a number of digits, from 1 to kMostDigits, into Op::arg.
Result<> take_digits(const CaptureRow& row, std::string_view argument, Op& op) {
  unsigned value = 0;
  const char* const end_of_argument = argument.data() + argument.size();
  const auto [end, status] = std::from_chars(argument.data(), end_of_argument, value);
  if (status != std::errc{} || end != end_of_argument || value < 1 || value > kMostDigits) {
    return fail(ErrorKind::usage, fmt::format("{}({}): wants a number of digits from 1 to {}",
                                              row.name, argument, kMostDigits));
  }
  // Fits into the byte: kMostDigits is the limit.
  op.arg = static_cast<std::uint8_t>(value);
  return {};
}

/// Adds one option, WORD or WORD=VALUE, to the op.
Result<> take_option(std::string_view item, Op& op) {
  const std::size_t equals = item.find('=');
  const std::string_view word = item.substr(0, equals);
  // An empty word would stand at any place of any line.
  if (word.empty()) return fail(ErrorKind::usage, "an option without a word");
  // "*" stands for any word, so it must say what is written for all of them.
  if (word == "*" && equals == std::string_view::npos) {
    return fail(ErrorKind::usage, "the option '*' needs a value: *=VALUE");
  }
  const auto is_same = [&](const Option& option) { return option.word.text() == word; };
  if (std::any_of(op.options.begin(), op.options.end(), is_same)) {
    return fail(ErrorKind::usage, fmt::format("the option '{}' stands twice", word));
  }
  if (op.options.size() == kMaxOptions) {
    return fail(ErrorKind::usage, fmt::format("more than {} options", kMaxOptions));
  }
  if (word == "*") {
    op.any_word = true;
  } else {
    ++op.named_options;
  }
  // Without "=" the value of a word is the word itself.
  const std::string value(equals == std::string_view::npos ? word : item.substr(equals + 1));
  op.options.push_back({FixedText(word), value});
  return {};
}

/// Adds the options of `argument`, which stand with commas between them. Neither a word nor a value
/// can hold a comma.
Result<> take_options(std::string_view argument, Op& op) {
  while (!argument.empty()) {
    const std::string_view item = argument.substr(0, argument.find(','));
    argument.remove_prefix(std::min(argument.size(), item.size() + 1));
    CARAVEL_TRY(take_option(item, op));
  }
  // Longest first, so that no option hides a longer one that it begins; "*" is for what is left.
  std::stable_sort(op.options.begin(), op.options.end(), [](const Option& a, const Option& b) {
    const bool a_any = a.word.text() == "*";
    const bool b_any = b.word.text() == "*";
    return a_any != b_any ? b_any : a.word.size() > b.word.size();
  });
  return {};
}

/// Whether the layout has %Y, %m or %b, and %d, each once, and nothing else behind a '%'.
bool is_date_layout(std::string_view layout) {
  int years = 0;
  int months = 0;
  int days = 0;
  // parse_date() counts on this: it takes what stands behind a '%' for one of the four.
  for (std::size_t i = 0; i < layout.size(); ++i) {
    if (layout[i] != '%') continue;
    // A '%' at the very end is refused like "%%": a date has no percent sign in it.
    switch (++i < layout.size() ? layout[i] : '%') {
      case 'Y':
        ++years;
        break;
      case 'm':
      case 'b':
        ++months;
        break;
      case 'd':
        ++days;
        break;
      default:
        return false;
    }
  }
  return years == 1 && months == 1 && days == 1;
}

/// Makes the op one of the type that reads times by a layout.
Result<> take_layout(const CaptureRow& row, std::string_view argument, bool any_blanks,
                     const ZoneRules& zones, Op& op) {
  auto layout = TimeLayout::compile(argument, row.use, any_blanks, zones);
  if (!layout) {
    return fail(ErrorKind::usage, fmt::format("{}: cannot take '({})': {}", row.name, argument,
                                              layout.error().message));
  }
  op.type = row.laid_out;
  op.times.push_back(std::move(*layout));
  return {};
}

/// Reads the unit of an epoch into Op::arg.
Result<> take_epoch_unit(const CaptureRow& row, std::string_view argument, Op& op) {
  constexpr std::array<std::string_view, 4> kUnits = {"s", "ms", "us", "ns"};  // as EpochUnit
  const auto* const unit = std::find(kUnits.begin(), kUnits.end(), argument);
  if (unit == kUnits.end() && !argument.empty()) {
    return fail(ErrorKind::usage, fmt::format("{}: cannot take '({})'; known: {}", row.name,
                                              argument, fmt::join(kUnits, ", ")));
  }
  op.arg = argument.empty() ? 0 : static_cast<std::uint8_t>(unit - kUnits.begin());
  return {};
}

/// Fills in what the argument says. No default: a new kind of Argument must not be forgotten here.
Result<> take_argument(const CaptureRow& row, std::string_view argument, bool any_blanks,
                       const ZoneRules& zones, Op& op) {
  switch (row.argument) {
    case Argument::none:
      if (!argument.empty()) return refuse(row, argument);
      return {};
    case Argument::one_word:
      if (!argument.empty() && argument != row.argument_word) return refuse(row, argument);
      op.arg = argument.empty() ? 0 : 1;
      return {};
    case Argument::optional_digits:
      if (argument.empty()) return {};
      return take_digits(row, argument, op);
    case Argument::digits:
      return take_digits(row, argument, op);
    case Argument::layout:
      op.arg = argument.empty() ? 0 : 1;
      if (argument.empty() || argument == row.argument_word) return {};
      return take_layout(row, argument, any_blanks, zones, op);
    case Argument::date_layout:
      op.layout = argument.empty() ? "%Y-%m-%d" : argument;
      // With `any` blanks those of the layout are not exact ones.
      if (is_date_layout(op.layout) &&
          !(any_blanks && op.layout.find_first_of(" \t") != std::string::npos)) {
        return {};
      }
      op.layout.clear();
      return take_layout(row, argument, any_blanks, zones, op);
    case Argument::epoch_unit:
      return take_epoch_unit(row, argument, op);
    case Argument::options:
      if (argument.empty()) return refuse(row, argument);
      return take_options(argument, op);
    case Argument::bracketed_options:
      CARAVEL_TRY(take_options(argument, op));
      // The brackets become part of the word: the parser then compares once, not three times.
      for (Option& option : op.options) {
        option.word = FixedText(fmt::format("[{}]", option.word.text()));
      }
      return {};
  }
  return {};
}

/// The error for a type that does not exist: names the nearest type, or all if none is near.
tl::unexpected<Error> unknown_type(std::string_view type) {
  std::vector<std::string> names;
  for (const CaptureRow& row : kCaptureRows) {
    // Types with a layout have the names of those without.
    if (!row.name.empty() && row.type < CaptureType::laid_out_clock) {
      names.emplace_back(row.name);
    }
  }
  const std::string nearest = nearest_word(type, names);
  return fail(ErrorKind::usage,
              nearest.empty()
                  ? fmt::format("unknown type '{}'; known: {}", type, fmt::join(names, ", "))
                  : fmt::format("unknown type '{}'; did you mean '{}'?", type, nearest));
}

}  // namespace

Result<Op> make_op(std::string_view type, std::string_view argument, bool any_blanks,
                   const ZoneRules& zones) {
  if (type == "stamp") type = "timestamp";
  // The literal's row has no name, and "" is none that a pattern can ask for.
  const auto* const row = std::find_if(
      kCaptureRows.begin(), kCaptureRows.end(),
      [&](const CaptureRow& candidate) { return !type.empty() && candidate.name == type; });
  if (row == kCaptureRows.end()) return unknown_type(type);
  Op op;
  op.type = row->type;
  CARAVEL_TRY(take_argument(*row, argument, any_blanks, zones, op));
  return op;
}

}  // namespace caravel::formatter
