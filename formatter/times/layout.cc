// TimeLayout::compile: from the text of a layout to its steps.
#include "formatter/times/layout.h"

#include <array>

#include <fmt/format.h>

#include "base/text.h"

namespace caravel::formatter {
namespace {

/// A layout is written by hand, and its parts stand in it once each.
constexpr std::size_t kLongestLayout = 200;

constexpr std::uint16_t kSaysDate =
    kSaysYear | kSaysMonth | kSaysDay | kSaysDayOfYear | kSaysWeekday;
constexpr std::uint16_t kSaysClock =
    kSaysHour | kSaysHour12 | kSaysHalf | kSaysMinute | kSaysSecond | kSaysFraction;

/// What each use may have.
std::uint16_t allowed(LayoutUse use) {
  switch (use) {
    case LayoutUse::date:
      return kSaysDate;
    case LayoutUse::month_day:
      return kSaysMonth | kSaysDay | kSaysWeekday;
    case LayoutUse::clock:
      return kSaysClock;
    case LayoutUse::offset:
      return kSaysZone;
    case LayoutUse::moment:
      break;
  }
  return kSaysDate | kSaysClock | kSaysZone | kSaysEpoch;
}

std::string_view name_of(LayoutUse use) {
  constexpr std::array<std::string_view, 5> kNames = {"a date", "a date without a year", "a clock",
                                                      "an offset", "a time"};
  return kNames[static_cast<std::size_t>(use)];
}

/// "a clock has no %d": the first directive of `says` that `use` does not allow.
std::string stranger(std::uint16_t says, LayoutUse use) {
  const auto strangers = static_cast<unsigned>(says & ~allowed(use));
  constexpr std::string_view kLetters = "YmdjaHIpMSfzs";  // in the order of the bits
  std::size_t bit = 0;
  while ((strangers >> bit & 1) == 0) ++bit;
  return fmt::format("{} has no %{}", name_of(use), kLetters[bit]);
}

/// What the date of a layout lacks; "" if it is whole.
std::string_view date_lacks(std::uint16_t says) {
  const auto has = [&](std::uint16_t bits) { return (says & bits) != 0; };
  if (has(kSaysDayOfYear)) {
    if (has(kSaysMonth | kSaysDay)) return "%j stands for month and day: one of them is too much";
    return has(kSaysYear) ? "" : "%j wants a year (%Y or %y)";
  }
  if (!has(kSaysMonth)) return "a month is missing (%m, %b)";
  return has(kSaysDay) ? "" : "a day is missing (%d, %e)";
}

/// What the clock of a layout lacks; "" if it is whole, or if there is none.
std::string_view clock_lacks(std::uint16_t says) {
  const auto has = [&](std::uint16_t bits) { return (says & bits) != 0; };
  if (has(kSaysHour) && has(kSaysHour12)) return "two hours";
  if (has(kSaysHour12) && !has(kSaysHalf)) return "%I and %l want %p: AM or PM";
  if (has(kSaysHalf) && !has(kSaysHour12)) return "%p wants %I or %l, an hour 1-12";
  if (has(kSaysMinute) && !has(kSaysHour | kSaysHour12)) return "%M wants an hour (%H, %I)";
  if (has(kSaysSecond) && !has(kSaysMinute)) return "%S wants minutes (%M)";
  if (has(kSaysFraction) && !has(kSaysSecond | kSaysEpoch)) return "%f wants seconds (%S, %s)";
  return "";
}

tl::unexpected<Error> refuse_layout(std::string text) {
  return fail(ErrorKind::usage, std::move(text));
}

}  // namespace

Result<TimeLayout> TimeLayout::compile(std::string_view text, LayoutUse use, bool any_blanks,
                                       const ZoneRules& zones) {
  if (text.empty()) return refuse_layout("an empty layout");
  if (text.size() > kLongestLayout) {
    return refuse_layout(fmt::format("longer than {} bytes", kLongestLayout));
  }
  // What parses relies on the '\n' that ends every line: no literal of a layout may match it.
  if (text.find_first_of(std::string_view("\n\0", 2)) != std::string_view::npos) {
    return refuse_layout("a layout is one line, without NUL");
  }
  TimeLayout layout;
  layout.text_ = text;
  CARAVEL_TRY(layout.add(text, any_blanks));
  CARAVEL_TRY(layout.settle_widths());
  CARAVEL_TRY(layout.check_use(use));
  for (const Step& step : layout.steps_) {
    if (step.directive == Directive::zone) layout.zones_ = zones.named;
  }
  return layout;
}

Result<TimeLayout> TimeLayout::compile_moment(std::string_view text, const ZoneRules& zones) {
  constexpr std::array<std::string_view, 4> kEpochs = {"epoch(s)", "epoch(ms)", "epoch(us)",
                                                       "epoch(ns)"};
  for (std::size_t i = 0; i < kEpochs.size(); ++i) {
    if (text == kEpochs[i]) return epoch(static_cast<EpochUnit>(i));
  }
  if (text.find('%') == std::string_view::npos) {
    return refuse_layout(
        fmt::format("'{}' is no layout: directives such as %Y-%m-%d %H:%M:%S, or {}", text,
                    fmt::join(kEpochs, ", ")));
  }
  return compile(text, LayoutUse::moment, false, zones);
}

TimeLayout TimeLayout::of_one_step(std::string_view text, Directive directive) {
  TimeLayout layout;
  layout.text_ = text;
  layout.steps_.push_back({.directive = directive});
  return layout;
}

TimeLayout TimeLayout::epoch(EpochUnit unit) {
  constexpr std::array<std::string_view, 4> kUnits = {"s", "ms", "us", "ns"};
  TimeLayout layout = of_one_step(fmt::format("epoch({})", kUnits[static_cast<std::size_t>(unit)]),
                                  Directive::counted);
  layout.steps_.front().unit = unit;
  layout.says_ = kSaysEpoch;
  return layout;
}

/// Adds the steps of a text, which may be what a directive is short for.
Result<> TimeLayout::add(std::string_view text, bool any_blanks) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c != '%') {
      const bool blank = any_blanks && (c == ' ' || c == '\t');
      // Two blanks of the layout stand for the same run of blanks.
      if (blank && !steps_.empty() && steps_.back().directive == Directive::blanks) continue;
      steps_.push_back({.directive = blank ? Directive::blanks : Directive::literal, .letter = c});
      continue;
    }
    // GNU's "%-d", a day without its zero: %d takes that too.
    if (i + 2 < text.size() && text[i + 1] == '-') {
      const DirectiveRow* const row = find_directive(text[i + 2]);
      if (row != nullptr && row->digits) ++i;
    }
    if (++i == text.size()) return refuse_layout("a '%' at its end");
    CARAVEL_TRY(add_directive(text[i], any_blanks));
  }
  return {};
}

Result<> TimeLayout::add_directive(char letter, bool any_blanks) {
  const DirectiveRow* const row = find_directive(letter);
  if (row == nullptr) {
    return refuse_layout(fmt::format("'%{}' is no directive; known: {}",
                                     printable(std::string_view(&letter, 1)), known_directives()));
  }
  if (!row->stands_for.empty()) return add(row->stands_for, any_blanks);
  if ((says_ & row->says) != 0) {
    return refuse_layout(fmt::format("%{} says again what stands before it", letter));
  }
  says_ |= row->says;
  steps_.push_back({.directive = row->directive, .letter = letter});
  return {};
}

/// "%H%M%S": between digits nothing tells where a number ends, so each takes as many as it may.
Result<> TimeLayout::settle_widths() {
  for (std::size_t i = 0; i + 1 < steps_.size(); ++i) {
    const DirectiveRow* const row = row_of_directive(steps_[i].directive);
    const DirectiveRow* const next = row_of_directive(steps_[i + 1].directive);
    const bool digits_follow = next != nullptr ? next->digits
                                               : steps_[i + 1].directive == Directive::literal &&
                                                     is_digit(steps_[i + 1].letter);
    if (row == nullptr || !row->digits || !digits_follow) continue;
    if (steps_[i].directive == Directive::fraction || steps_[i].directive == Directive::epoch) {
      return refuse_layout(
          fmt::format("%{} cannot tell where it ends: no digits may follow it", row->letter));
    }
    steps_[i].fixed = true;
  }
  return {};
}

Result<> TimeLayout::check_use(LayoutUse use) const {
  if ((says_ & ~allowed(use)) != 0) return refuse_layout(stranger(says_, use));
  const auto has = [&](std::uint16_t bits) { return (says_ & bits) != 0; };
  if (has(kSaysEpoch)) {
    if ((says_ & ~(kSaysEpoch | kSaysFraction)) == 0) return {};
    return refuse_layout("%s says all: only %f may stand beside it");
  }
  if (const auto lacks = clock_lacks(says_); !lacks.empty()) {
    return refuse_layout(std::string(lacks));
  }
  if (use == LayoutUse::clock) {
    if (!has(kSaysHour | kSaysHour12)) return refuse_layout("an hour is missing (%H, %I)");
    return {};
  }
  if (use == LayoutUse::offset) {
    if (!has(kSaysZone)) return refuse_layout("an offset is missing (%z, %Z)");
    return {};
  }
  if (const auto lacks = date_lacks(says_); !lacks.empty()) {
    return refuse_layout(std::string(lacks));
  }
  if (use == LayoutUse::date && !has(kSaysYear)) {
    return refuse_layout("a year is missing (%Y, %y); a date without one is a month-day");
  }
  if (has(kSaysZone) && !has(kSaysHour | kSaysHour12)) {
    return refuse_layout("a zone wants an hour (%H, %I)");
  }
  return {};
}

std::string TimeLayout::wanted(std::size_t step_index) const {
  if (step_index >= steps_.size()) return "the end";
  const Step& step = steps_[step_index];
  switch (step.directive) {
    case Directive::literal:
      return step.letter == ' ' ? "a blank" : fmt::format("'{}'", step.letter);
    case Directive::blanks:
      return "a blank";
    case Directive::iso_time:
      return "an ISO 8601 time";
    case Directive::iso_clock:
      return "HH:MM:SS";
    case Directive::counted:
      return fmt::format("a number, {} since 1970", text_);
    default:
      return fmt::format("{} (%{})", row_of_directive(step.directive)->meaning, step.letter);
  }
}

}  // namespace caravel::formatter
