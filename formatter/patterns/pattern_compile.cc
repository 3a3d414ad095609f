// Pattern::compile: from the text of a pattern to its ops.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "formatter/patterns/capture_types.h"
#include "formatter/patterns/make_op.h"
#include "formatter/patterns/pattern.h"

namespace caravel::formatter {
namespace {

/// The parts of "NAME:TYPE(ARGUMENT)", what stands between the braces of a capture.
struct CaptureText {
  std::string_view name;  // may hold blanks and colons; "" if there is none
  std::string_view type;
  std::string_view argument;
};

/// Takes what stands between the braces apart. An error only if a parenthesis is not closed:
/// make_op() judges the type and the argument.
Result<CaptureText> split_capture(std::string_view inside) {
  // The argument may hold colons ("%H:%M"), so the colon that counts stands before it.
  const std::size_t open = std::min(inside.size(), inside.find('('));
  const std::size_t colon = inside.substr(0, open).rfind(':');
  const bool named = colon != std::string_view::npos;
  const std::size_t type_at = named ? colon + 1 : 0;
  CaptureText parts{named ? inside.substr(0, colon) : std::string_view(),
                    inside.substr(type_at, open - type_at), inside.substr(open)};
  if (parts.argument.empty()) return parts;
  if (parts.argument.back() != ')') {
    return fail(ErrorKind::usage, fmt::format("'{{{}}}' has no closing parenthesis", inside));
  }
  parts.argument = parts.argument.substr(1, parts.argument.size() - 2);
  return parts;
}

/// Takes a pattern's text from left to right. Blanks and literal text are held back until the value
/// comes that they stand before: the three make one op.
class OpReader {
 public:
  OpReader(bool any_blanks, const ZoneRules& zones) : any_blanks_(any_blanks), zones_(zones) {}

  Result<> read(std::string_view text) {
    whole_ = text;
    while (!text.empty()) {
      if (any_blanks_ && is_blank(text.front())) {
        // Literal text that was held back becomes an op of its own: within an op the blanks come
        // first.
        if (!literal_.empty()) add(Op{});
        blanks_ = true;
        text.remove_prefix(std::min(text.size(), text.find_first_not_of(" \t")));
      } else if (text.front() != '{' || text.substr(0, 2) == "{{") {
        // "{{" stands for one brace.
        literal_.push_back(text.front());
        text.remove_prefix(text.front() == '{' ? 2 : 1);
      } else {
        CARAVEL_TRY(read_capture(text));
      }
    }
    if (!literal_.empty()) add(Op{});
    if (ops.empty()) return fail(ErrorKind::usage, "an empty pattern");
    // MatchState has an array of places, so that a match allocates nothing.
    if (ops.size() > kMaxOps) {
      return fail(ErrorKind::usage, fmt::format("more than {} parts", kMaxOps));
    }
    return {};
  }

  std::vector<Op> ops;
  std::vector<std::string> names;
  std::vector<Pattern::Piece> pieces;  // of the text, one for each op
  /// The capture that was read last, all of the text before: what an error of read() is about.
  Pattern::Piece current;

 private:
  /// Takes the capture at the front of `text` off.
  Result<> read_capture(std::string_view& text) {
    // No argument can hold a brace: the first one that closes is the right one.
    const std::size_t close = text.find('}');
    current = {static_cast<std::size_t>(text.data() - whole_.data()),
               std::min(close, text.size() - 1) + 1};
    if (close == std::string_view::npos) {
      return fail(ErrorKind::usage, fmt::format("'{}' has no closing brace", text));
    }
    CARAVEL_ASSIGN_OR_RETURN(const auto parts, split_capture(text.substr(1, close - 1)));
    text.remove_prefix(close + 1);
    CARAVEL_ASSIGN_OR_RETURN(auto op, make_op(parts.type, parts.argument, any_blanks_, zones_));
    if (!parts.name.empty() && std::find(names.begin(), names.end(), parts.name) != names.end()) {
      return fail(ErrorKind::usage, fmt::format("'{}' is captured twice", parts.name));
    }
    // MatchState has room for so many captures, and Op::capture is one byte.
    if (names.size() >= kMaxCaptures) {
      return fail(ErrorKind::usage, fmt::format("more than {} captures", kMaxCaptures));
    }
    op.capture = static_cast<std::uint8_t>(names.size());
    names.emplace_back(parts.name);
    add(std::move(op));
    return {};
  }

  void add(Op op) {
    op.blanks_before = std::exchange(blanks_, false);
    op.text = FixedText(literal_);
    literal_.clear();
    ops.push_back(std::move(op));
    pieces.push_back(current);
  }

  bool any_blanks_;
  const ZoneRules& zones_;
  std::string_view whole_;
  bool blanks_ = false;
  std::string literal_;
};

/// Whether a value of this op goes on until something else begins, so that the pattern must say
/// what stands behind the value.
bool needs_a_next(const Op& op) {
  switch (row_of(op.type).ends) {
    case Ends::at_next:
    case Ends::at_line_end:
      return true;
    case Ends::at_next_if_any_word:
      return op.any_word;
    case Ends::by_shape:
    case Ends::by_shape_and_next:
      break;
  }
  return false;
}

}  // namespace

Result<Pattern> Pattern::compile(std::string_view text, bool any_blanks, const ZoneRules& zones,
                                 Piece* wrong) {
  Piece unwanted;
  Piece& piece = wrong != nullptr ? *wrong : unwanted;
  piece = {0, text.size()};
  // The parsers rely on the '\n' that ends every line: no literal of a pattern may match it.
  if (text.find_first_of(std::string_view("\n\0", 2)) != std::string_view::npos) {
    return fail(ErrorKind::usage, "a pattern is one line, without NUL");
  }
  if (!text.empty() && (is_blank(text.front()) || is_blank(text.back()))) {
    return fail(ErrorKind::usage,
                "a pattern neither begins nor ends with a blank: lines have lost theirs");
  }
  // The reader fills in what each op does; what ends its value depends on the op behind it.
  OpReader reader(any_blanks, zones);
  if (auto read = reader.read(text); !read) {
    if (reader.current.bytes > 0) piece = reader.current;
    return tl::unexpected(std::move(read).error());
  }
  Pattern pattern;
  pattern.ops_ = std::move(reader.ops);
  pattern.names_ = std::move(reader.names);
  CARAVEL_TRY(pattern.settle_ends(reader.pieces, piece));
  return pattern;
}

Result<> Pattern::settle_ends(const std::vector<Piece>& pieces, Piece& wrong) {
  // The last op's value ends at the line's end, whatever it is: Op::stop is '\n' from the start.
  for (std::size_t i = 0; i + 1 < ops_.size(); ++i) {
    Op& op = ops_[i];
    const Op& next = ops_[i + 1];
    const Ends ends = row_of(op.type).ends;
    const bool nothing_follows = next.text.size() == 0 && !next.blanks_before;
    if (ends == Ends::at_line_end || (needs_a_next(op) && nothing_follows)) {
      wrong = pieces[i];
      return fail(ErrorKind::usage,
                  fmt::format("{{{}}} cannot tell where it ends: {} must follow it", label(op),
                              ends == Ends::at_line_end ? "the line's end"
                                                        : "a literal, a blank or the line's end"));
    }
    // The other ops keep their stop: ops that do the same must be equal, for shared_with().
    if (!needs_a_next(op) && ends != Ends::by_shape_and_next) continue;
    if (next.text.size() > 0) op.stop = next.text.text().front();
    // Blanks stand before the text of an op, so they decide if the next op has both.
    if (next.blanks_before) op.stop = ' ';
    if (op.type != CaptureType::text) continue;
    texts_.push_back(i);
    first_text_ = texts_.front();
    op.ends_at_text = next.blanks_before || next.text.size() > 1;
    op.blanks_until = next.blanks_before;
    if (op.ends_at_text) op.until = next.text;
  }
  return {};
}

}  // namespace caravel::formatter
