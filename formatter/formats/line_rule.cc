#include "formatter/formats/line_rule.h"

#include <re2/re2.h>

namespace caravel::formatter {
namespace {

/// Any leap year: whether a line begins like a record does not hang on its year.
constexpr std::chrono::year kAnyYear{2000};

Result<std::unique_ptr<const re2::RE2>> compile_when(const YamlNode& node) {
  CARAVEL_ASSIGN_OR_RETURN(const auto text, node.as_string());
  re2::RE2::Options options;
  options.set_log_errors(false);
  auto regex = std::make_unique<const re2::RE2>(text, options);
  if (!regex->ok()) return node.error("is no regular expression (RE2): " + regex->error());
  // It would join all lines of an extract.
  if (re2::RE2::PartialMatch("", *regex)) {
    return node.error("matches an empty line, and so would match any");
  }
  return regex;
}

}  // namespace

LineRule::LineRule() = default;
LineRule::~LineRule() = default;
LineRule::LineRule(LineRule&&) noexcept = default;
LineRule& LineRule::operator=(LineRule&&) noexcept = default;

Result<LineRule> LineRule::read(const YamlNode& root, bool any_blanks) {
  const YamlNode continues = root["continues"];
  LineRule rule;
  if (continues.exists()) {
    CARAVEL_TRY(continues.expect_keys({"when", "starts"}));
    if (continues["when"].exists()) {
      CARAVEL_ASSIGN_OR_RETURN(rule.when_, compile_when(continues["when"]));
    }
  }
  const YamlNode starts = continues.exists() ? continues["starts"] : root["starts"];
  if (starts.exists() == (rule.when_ != nullptr) ||
      (continues.exists() && root["starts"].exists())) {
    return root[continues.exists() ? "continues" : "starts"].error(
        "wants either `when` (a regular expression of lines that go on) or `starts` (the pattern "
        "of a first line)");
  }
  if (!starts.exists()) return rule;
  CARAVEL_ASSIGN_OR_RETURN(const auto text, starts.as_string());
  Pattern::Piece wrong;
  auto pattern = Pattern::compile(text, any_blanks, {}, &wrong);
  if (!pattern) return starts.error_within(pattern.error().message, wrong.at, wrong.bytes);
  rule.starts_ = std::move(*pattern);
  return rule;
}

bool LineRule::goes_on(std::string_view line) const {
  if (when_ != nullptr) return re2::RE2::PartialMatch({line.data(), line.size()}, *when_);
  // A copy: the parsers want a line's end, and readable bytes behind it.
  std::string text(line);
  text.append(kReadableBehind + 1, '\n');
  const YearTable years = YearTable::fixed(kAnyYear);
  MatchState state;
  state.at[0] = text.data();
  const std::size_t failed = starts_->match(0, text.data() + line.size(), years, state);
  // The pattern is that of the line's beginning: what is left over does not matter.
  return failed != Pattern::kMatched && failed < starts_->ops().size();
}

}  // namespace caravel::formatter
