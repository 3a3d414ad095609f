#include "formatter/patterns/pattern.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/yaml.h"
#include "formatter/patterns/captures.h"

namespace caravel::formatter {
namespace {

struct TypeName {
  std::string_view name;
  OpCode code;
  std::string_view expectation;
};

constexpr std::size_t kMaxOptions = 255;

constexpr std::array kTypes = {
    TypeName{"word", OpCode::word, "a word"},
    TypeName{"field", OpCode::field, "a CSV field that is not empty"},
    TypeName{"text", OpCode::text, "text"},
    TypeName{"rest", OpCode::rest, "the rest of the line"},
    TypeName{"quoted", OpCode::quoted, "a quoted string"},
    TypeName{"bracketed", OpCode::bracketed, "a word in brackets"},
    TypeName{"choice", OpCode::choice, "one of"},
    TypeName{"int", OpCode::integer, "a whole number"},
    TypeName{"implied", OpCode::implied, "digits with an implied point"},
    TypeName{"decimal", OpCode::decimal, "a decimal number"},
    TypeName{"time", OpCode::time, "a time HH:MM:SS"},
    TypeName{"month-day", OpCode::month_day, "a date MM/DD that exists"},
    TypeName{"date", OpCode::date, "a date that exists"},
    TypeName{"timestamp", OpCode::timestamp, "an ISO 8601 date and time"},
    TypeName{"offset", OpCode::offset, "a UTC offset"},
    TypeName{"epoch", OpCode::epoch, "seconds since 1970"},
    TypeName{"ip", OpCode::ip, "an IP address"},
};

Result<std::uint8_t> digit_argument(std::string_view type, std::string_view argument) {
  unsigned value = 0;
  const auto [end, status] =
      std::from_chars(argument.data(), argument.data() + argument.size(), value);
  if (status != std::errc{} || end != argument.data() + argument.size() || value < 1 ||
      value > 18) {
    return fail(ErrorKind::usage,
                fmt::format("{}({}): wants a number of digits from 1 to 18", type, argument));
  }
  return static_cast<std::uint8_t>(value);
}

Result<> parse_options(std::string_view argument, Op& op) {
  while (!argument.empty()) {
    const std::string_view item = argument.substr(0, argument.find(','));
    argument.remove_prefix(std::min(argument.size(), item.size() + 1));
    const std::size_t equals = item.find('=');
    const std::string_view word = item.substr(0, equals);
    if (word.empty()) return fail(ErrorKind::usage, "an option without a word");
    if (word == "*" && equals == std::string_view::npos) {
      return fail(ErrorKind::usage, "the option '*' needs a value: *=VALUE");
    }
    if (std::any_of(op.options.begin(), op.options.end(),
                    [&](const Option& option) { return option.word.text() == word; })) {
      return fail(ErrorKind::usage, fmt::format("the option '{}' stands twice", word));
    }
    const std::string value(equals == std::string_view::npos ? word : item.substr(equals + 1));
    if (op.options.size() == kMaxOptions) {
      return fail(ErrorKind::usage, fmt::format("more than {} options", kMaxOptions));
    }
    if (word == "*") {
      op.any_word = true;
    } else {
      ++op.named_options;
    }
    op.options.push_back({FixedText(word), value});
  }
  // Longest first, so that no option hides a longer one that it begins; "*" is for what is left.
  std::stable_sort(op.options.begin(), op.options.end(), [](const Option& a, const Option& b) {
    const bool a_any = a.word.text() == "*";
    const bool b_any = b.word.text() == "*";
    return a_any != b_any ? b_any : a.word.size() > b.word.size();
  });
  return {};
}

/// Year, month and day, each once, and nothing else behind a '%'.
bool is_date_layout(std::string_view layout) {
  int years = 0;
  int months = 0;
  int days = 0;
  for (std::size_t i = 0; i < layout.size(); ++i) {
    if (layout[i] != '%') continue;
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

/// The op for `type(argument)`.
Result<Op> make_op(std::string_view type, std::string_view argument) {
  const auto known = std::find_if(kTypes.begin(), kTypes.end(),
                                  [&](const TypeName& name) { return name.name == type; });
  if (known == kTypes.end()) {
    std::vector<std::string> names;
    for (const TypeName& name : kTypes) names.emplace_back(name.name);
    const std::string nearest = nearest_word(type, names);
    return fail(ErrorKind::usage,
                nearest.empty()
                    ? fmt::format("unknown type '{}'; known: {}", type, fmt::join(names, ", "))
                    : fmt::format("unknown type '{}'; did you mean '{}'?", type, nearest));
  }
  Op op;
  op.code = known->code;
  const auto refuse = [&] {
    return fail(ErrorKind::usage, fmt::format("{}: cannot take '({})'", type, argument));
  };
  switch (op.code) {
    case OpCode::implied:
    case OpCode::decimal: {
      if (op.code == OpCode::decimal && argument.empty()) break;
      CARAVEL_ASSIGN_OR_RETURN(auto digits, digit_argument(type, argument));
      op.arg = digits;
      break;
    }
    case OpCode::field:
      if (!argument.empty() && argument != "word") return refuse();
      op.arg = argument.empty() ? 0 : 1;
      break;
    case OpCode::time:
      if (!argument.empty() && argument != "fraction") return refuse();
      op.arg = argument.empty() ? 0 : 1;
      break;
    case OpCode::epoch:
      if (!argument.empty() && argument != "ms") return refuse();
      op.arg = argument.empty() ? 0 : 1;
      break;
    case OpCode::date:
      op.layout = argument.empty() ? "%Y-%m-%d" : argument;
      if (!is_date_layout(op.layout)) return refuse();
      break;
    case OpCode::choice:
    case OpCode::bracketed: {
      if (op.code == OpCode::choice && argument.empty()) return refuse();
      CARAVEL_TRY(parse_options(argument, op));
      if (op.code == OpCode::bracketed) {
        for (Option& option : op.options) {
          option.word = FixedText(fmt::format("[{}]", option.word.text()));
        }
      }
      break;
    }
    default:
      if (!argument.empty()) return refuse();
  }
  return op;
}

/// Whether the value goes on until something else begins.
bool is_open_ended(const Op& op) {
  switch (op.code) {
    case OpCode::word:
    case OpCode::field:
    case OpCode::text:
    case OpCode::rest:
    case OpCode::bracketed:
      return true;
    case OpCode::choice:
      return op.any_word;
    default:
      return false;
  }
}

}  // namespace

Result<Pattern> Pattern::compile(std::string_view text, bool any_blanks) {
  // The parsers count on it that nothing but a line's end matches a line's end.
  if (text.find_first_of(std::string_view("\n\0", 2)) != std::string_view::npos) {
    return fail(ErrorKind::usage, "a pattern is one line, without NUL");
  }
  if (!text.empty() && (is_blank(text.front()) || is_blank(text.back()))) {
    return fail(ErrorKind::usage,
                "a pattern neither begins nor ends with a blank: lines have lost theirs");
  }
  Pattern pattern;
  bool blanks = false;
  std::string literal;
  const auto add_op = [&](Op op) {
    op.blanks_before = std::exchange(blanks, false);
    op.text = FixedText(literal);
    literal.clear();
    pattern.ops_.push_back(std::move(op));
  };
  while (!text.empty()) {
    if (any_blanks && is_blank(text.front())) {
      if (!literal.empty()) add_op(Op{});
      blanks = true;
      text.remove_prefix(std::min(text.size(), text.find_first_not_of(" \t")));
      continue;
    }
    if (text.front() != '{' || text.substr(0, 2) == "{{") {
      literal.push_back(text.front());
      text.remove_prefix(text.front() == '{' ? 2 : 1);
      continue;
    }
    const std::size_t close = text.find('}');
    if (close == std::string_view::npos) {
      return fail(ErrorKind::usage, fmt::format("'{}' has no closing brace", text));
    }
    const std::string_view inside = text.substr(1, close - 1);
    text.remove_prefix(close + 1);
    const std::size_t open = std::min(inside.size(), inside.find('('));
    const std::size_t colon = inside.substr(0, open).rfind(':');
    const std::string name(colon == std::string_view::npos ? "" : inside.substr(0, colon));
    const std::size_t type_at = colon == std::string_view::npos ? 0 : colon + 1;
    const std::string_view type = inside.substr(type_at, open - type_at);
    std::string_view argument = inside.substr(open);
    if (!argument.empty()) {
      if (argument.back() != ')') {
        return fail(ErrorKind::usage, fmt::format("'{{{}}}' has no closing parenthesis", inside));
      }
      argument = argument.substr(1, argument.size() - 2);
    }
    CARAVEL_ASSIGN_OR_RETURN(auto op, make_op(type, argument));
    if (!name.empty() &&
        std::find(pattern.names_.begin(), pattern.names_.end(), name) != pattern.names_.end()) {
      return fail(ErrorKind::usage, fmt::format("'{}' is captured twice", name));
    }
    if (pattern.names_.size() >= kMaxCaptures) {
      return fail(ErrorKind::usage, fmt::format("more than {} captures", kMaxCaptures));
    }
    op.capture = static_cast<std::uint8_t>(pattern.names_.size());
    pattern.names_.push_back(name);
    add_op(std::move(op));
  }
  if (!literal.empty()) add_op(Op{});
  if (pattern.ops_.empty()) return fail(ErrorKind::usage, "an empty pattern");
  if (pattern.ops_.size() > kMaxOps) {
    return fail(ErrorKind::usage, fmt::format("more than {} parts", kMaxOps));
  }
  for (std::size_t i = 0; i + 1 < pattern.ops_.size(); ++i) {
    Op& op = pattern.ops_[i];
    const Op& next = pattern.ops_[i + 1];
    // Only where it counts: ops that do the same are to be equal, for shared_with().
    if (is_open_ended(op) || op.code == OpCode::ip) {
      if (next.text.size() > 0) op.stop = next.text.text().front();
      if (next.blanks_before) op.stop = ' ';
    }
    if (op.code == OpCode::rest ||
        (is_open_ended(op) && next.text.size() == 0 && !next.blanks_before)) {
      return fail(
          ErrorKind::usage,
          fmt::format(
              "{{{}}} cannot tell where it ends: {} must follow it", pattern.label(op),
              op.code == OpCode::rest ? "the line's end" : "a literal, a blank or the line's end"));
    }
  }
  return pattern;
}

const Op& Pattern::op_of(std::size_t capture) const {
  return *std::find_if(ops_.begin(), ops_.end(), [&](const Op& op) {
    return op.code != OpCode::literal && op.capture == capture;
  });
}

std::size_t Pattern::shared_with(const Pattern& other) const {
  const std::size_t least = std::min(ops_.size(), other.ops_.size());
  std::size_t shared = 0;
  while (shared < least && ops_[shared] == other.ops_[shared]) ++shared;
  return shared;
}

std::string Pattern::label(const Op& op) const {
  const auto type = std::find_if(kTypes.begin(), kTypes.end(),
                                 [&](const TypeName& name) { return name.code == op.code; });
  const std::string& name = names_[op.capture];
  return name.empty() ? std::string(type->name) : fmt::format("{}:{}", name, type->name);
}

std::string Pattern::expectation(std::size_t index, MatchState::Wanted wanted) const {
  if (wanted == MatchState::Wanted::blank) return "a blank";
  if (index >= ops_.size()) return "the end of the line";
  const Op& op = ops_[index];
  if (wanted == MatchState::Wanted::text || op.code == OpCode::literal) {
    return fmt::format("\"{}\"", op.text.text());
  }
  const auto type = std::find_if(kTypes.begin(), kTypes.end(),
                                 [&](const TypeName& name) { return name.code == op.code; });
  std::string text(type->expectation);
  if (op.code == OpCode::choice) {
    for (const auto& option : op.options) {
      text += (&option == &op.options.front() ? " " : ", ") + option.word.text();
    }
  }
  if (!names_[op.capture].empty()) text += fmt::format(" ({})", names_[op.capture]);
  return text;
}

}  // namespace caravel::formatter
