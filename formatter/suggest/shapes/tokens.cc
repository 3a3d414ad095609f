#include "formatter/suggest/shapes/tokens.h"

#include <algorithm>

#include "base/text.h"
#include "formatter/patterns/parsers.h"

namespace caravel::formatter {
namespace {

constexpr std::string_view kOpening = "([{<'";
constexpr std::string_view kClosing = ",;:)]}>'!?.";
/// What may stand in brackets, at most: more is a message.
constexpr std::size_t kMostBoxedBytes = 100;
/// A unit behind a number: "12ms", "97%", "4.5KiB".
constexpr std::size_t kMostUnitBytes = 3;

constexpr auto kLevels = std::to_array<std::string_view>(
    {"trace", "debug", "verbose", "info", "information", "notice", "warn", "warning", "err",
     "error", "crit", "critical", "fatal", "severe", "alert", "emerg", "panic", "fine"});

/// What PostgreSQL puts in the same place, in upper case only: "log" is a word.
constexpr auto kUpperLevels =
    std::to_array<std::string_view>({"LOG", "STATEMENT", "DETAIL", "HINT", "CONTEXT"});

bool is_level(std::string_view text) {
  if (std::find(kUpperLevels.begin(), kUpperLevels.end(), text) != kUpperLevels.end()) return true;
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
  // "Info" and "INFO" are levels; "iNfo" is a word.
  const bool first_only = lower.substr(1) == text.substr(1);
  const bool all_upper =
      std::none_of(text.begin(), text.end(), [](char c) { return c >= 'a' && c <= 'z'; });
  return (first_only || all_upper) &&
         std::find(kLevels.begin(), kLevels.end(), lower) != kLevels.end();
}

/// Whether one of the formatter's own parsers takes the whole text.
template <class Parse>
bool takes(std::string_view text, Parse parse) {
  std::string line(text);
  line.append(kReadableBehind + 1, '\n');
  Capture capture;
  return parse(line.data(), capture) == line.data() + text.size();
}

/// Whether the last byte of `text` is punctuation that closes something in front of the text, or
/// follows it. "f(x)" keeps its bracket.
bool ends_in_closing(std::string_view text) {
  constexpr std::string_view kPairs = "()[]{}<>";
  if (text.empty() || kClosing.find(text.back()) == kClosing.npos) return false;
  const std::size_t pair = kPairs.find(text.back());
  return pair == kPairs.npos || text.find(kPairs[pair - 1]) == text.npos;
}

/// The length of "name=" or "name:" at the front of `text`, 0 if there is none. Behind it something
/// must follow, and "http://" and "C:\" are no names.
std::size_t label_length(std::string_view text) {
  std::size_t length = 0;
  while (length < text.size() &&
         (is_letter(text[length]) || is_digit(text[length]) || text[length] == '_' ||
          text[length] == '-' || text[length] == '.' || text[length] == '/')) {
    ++length;
  }
  if (length == 0 || length + 1 >= text.size() || !is_letter(text[0])) return 0;
  const char next = text[length + 1];
  if (text[length] == '=') return is_blank(next) ? 0 : length + 1;
  // "libc6:amd64" and "main.cc:17" are values.
  const bool letters = text.substr(0, length).find_first_of("0123456789.") == text.npos;
  const bool colon = text[length] == ':' && !is_blank(next) && next != '/' && next != '\\' &&
                     next != ':' && length > 1;
  return colon && letters ? length + 1 : 0;
}

}  // namespace

bool is_whole_number(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

bool is_number(std::string_view text) {
  return takes(text, [](const char* p, Capture& capture) { return parse_decimal(p, 0, capture); });
}

PartType type_of_word(std::string_view text) {
  if (text.empty()) return PartType::word;
  const char first = text.front();
  if ((is_digit(first) || first == '-') && is_number(text)) return PartType::number;
  const bool hexadecimal = text.find_first_not_of("0123456789abcdefABCDEF.:-") == text.npos;
  if (hexadecimal && text.size() == 36 &&
      takes(text, [](const char* p, Capture& capture) { return parse_uuid(p, capture); })) {
    return PartType::uuid;
  }
  if (hexadecimal && text.size() > 2 && text.find_first_of(".:") != text.npos &&
      takes(text, [](const char* p, Capture& capture) { return parse_ip(p, '\n', capture); })) {
    return PartType::ip;
  }
  return is_level(text) ? PartType::level : PartType::word;
}

TokenLine Tokenizer::take(std::string_view line) {
  TokenLine result;
  result.text = line;
  line_ = line;
  at_ = 0;
  while (at_ < line_.size()) {
    if (result.chunks.size() == kMostChunks) {
      result.all = false;
      break;
    }
    const std::size_t begin = at_;
    Chunk chunk;
    take_chunk(chunk);
    chunk.text = line_.substr(begin, at_ - begin);
    for (const Part& part : chunk.parts) {
      const bool run =
          part.text.find("  ") != part.text.npos || part.text.find('\t') != part.text.npos;
      if (part.type == PartType::stamp && run) result.single_blanks = false;
    }
    result.chunks.push_back(std::move(chunk));
    const std::size_t gap = at_;
    while (at_ < line_.size() && is_blank(line_[at_])) ++at_;
    if (at_ < line_.size() && line_.substr(gap, at_ - gap) != " ") result.single_blanks = false;
  }
  return result;
}

void Tokenizer::add_literal(Chunk& chunk, std::size_t length) {
  chunk.parts.push_back({PartType::literal, 0, line_.substr(at_, length)});
  at_ += length;
}

void Tokenizer::take_chunk(Chunk& chunk) {
  // In this order: a bracket may hold what has blanks in it, a name may stand before any value.
  if (!take_stamp(chunk) && !take_quoted(chunk) && !take_boxed(chunk)) {
    while (at_ < line_.size() && kOpening.find(line_[at_]) != kOpening.npos) add_literal(chunk, 1);
    if (const std::size_t label = label_length(line_.substr(at_)); label > 0) {
      add_literal(chunk, label);
    }
    if (!take_stamp(chunk) && !take_quoted(chunk) && !take_boxed(chunk)) take_word(chunk);
  }
  // Punctuation that closes what is whole by itself; anything else makes the chunk one word.
  const std::size_t closing = at_;
  while (at_ < line_.size() && kClosing.find(line_[at_]) != kClosing.npos) ++at_;
  const std::size_t end = at_;
  while (at_ < line_.size() && !is_blank(line_[at_])) ++at_;
  if (at_ > end) {
    const bool blanks = std::any_of(chunk.parts.begin(), chunk.parts.end(), [](const Part& part) {
      return part.text.find_first_of(" \t") != part.text.npos;
    });
    // A chunk begins where its first part does.
    const char* const begin =
        chunk.parts.empty() ? line_.data() + closing : chunk.parts.front().text.data();
    const auto from = static_cast<std::size_t>(begin - line_.data());
    if (!blanks) {
      chunk.parts = {{PartType::word, 0, line_.substr(from, at_ - from)}};
      return;
    }
    // What follows a value with blanks stands for itself.
    at_ = closing;
    chunk.parts.push_back({PartType::word, 0, {}});
    while (at_ < line_.size() && !is_blank(line_[at_])) ++at_;
    chunk.parts.back().text = line_.substr(closing, at_ - closing);
    return;
  }
  if (end > closing)
    chunk.parts.push_back({PartType::literal, 0, line_.substr(closing, end - closing)});
}

bool Tokenizer::take_stamp(Chunk& chunk) {
  const auto stamp = stamps_.find(line_, at_);
  if (!stamp) return false;
  chunk.parts.push_back({PartType::stamp, stamp->shape, stamp->text});
  at_ += stamp->text.size();
  return true;
}

bool Tokenizer::take_quoted(Chunk& chunk) {
  if (at_ >= line_.size() || line_[at_] != '"') return false;
  std::size_t end = at_ + 1;
  // As the formatter reads it: a backslash keeps the byte behind it.
  while (end < line_.size() && line_[end] != '"') end += line_[end] == '\\' ? 2 : 1;
  if (end >= line_.size()) return false;
  chunk.parts.push_back({PartType::quoted, 0, line_.substr(at_, end + 1 - at_)});
  at_ = end + 1;
  return true;
}

bool Tokenizer::take_boxed(Chunk& chunk) {
  if (at_ >= line_.size() || line_[at_] != '[') return false;
  const std::size_t begin = at_ + 1;
  const std::size_t end = line_.find(']', begin);
  if (end == line_.npos || end - begin > kMostBoxedBytes || end == begin) return false;
  const std::string_view inside = line_.substr(begin, end - begin);
  add_literal(chunk, 1);
  const auto stamp = stamps_.find(line_, at_);
  if (stamp && stamp->text.size() == inside.size()) {
    chunk.parts.push_back({PartType::stamp, stamp->shape, stamp->text});
  } else {
    chunk.parts.push_back({PartType::boxed, 0, inside});
  }
  at_ = end;
  add_literal(chunk, 1);
  return true;
}

void Tokenizer::take_word(Chunk& chunk) {
  std::string_view text = line_.substr(at_, line_.substr(at_).find_first_of(" \t"));
  const auto add = [&](PartType type, std::size_t length) {
    chunk.parts.push_back({type, 0, line_.substr(at_, length)});
    at_ += length;
  };
  // As a whole first: an IPv6 address may end in what looks like punctuation.
  if (type_of_word(text) == PartType::ip) return add(PartType::ip, text.size());
  while (ends_in_closing(text)) text.remove_suffix(1);
  if (text.empty()) return;
  // "sshd[1234]": a program and its number.
  const std::size_t open = text.find('[');
  const bool process = open != text.npos && open > 0 && text.ends_with(']') &&
                       is_whole_number(text.substr(open + 1, text.size() - open - 2));
  if (process) {
    const std::size_t digits = text.size() - open - 2;
    add(PartType::word, open);
    add_literal(chunk, 1);
    return add(PartType::number, digits);
  }
  const PartType type = type_of_word(text);
  if (type != PartType::word) return add(type, text.size());
  // "10.0.0.1:443"
  const std::size_t colon = text.rfind(':');
  if (colon != text.npos && is_whole_number(text.substr(colon + 1)) &&
      type_of_word(text.substr(0, colon)) == PartType::ip && text.find(':') == colon) {
    const std::size_t digits = text.size() - colon - 1;
    add(PartType::ip, colon);
    add_literal(chunk, 1);
    return add(PartType::number, digits);
  }
  // "36.77/-76.09"
  const std::size_t slash = text.find('/');
  if (slash != text.npos && is_number(text.substr(0, slash)) && is_number(text.substr(slash + 1))) {
    const std::size_t rest = text.size() - slash - 1;
    add(PartType::number, slash);
    add_literal(chunk, 1);
    return add(PartType::number, rest);
  }
  // "12ms"; "3com" and "7b4f" are words.
  const std::size_t unit = std::min(text.size(), text.find_first_not_of("0123456789.-"));
  if (unit > 0 && text.size() - unit <= kMostUnitBytes && is_number(text.substr(0, unit)) &&
      text.find_first_of("0123456789/:-", unit) == text.npos) {
    const std::size_t rest = text.size() - unit;
    add(PartType::number, unit);
    return add_literal(chunk, rest);
  }
  add(PartType::word, text.size());
}

}  // namespace caravel::formatter
