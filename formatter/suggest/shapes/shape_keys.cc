#include "formatter/suggest/shapes/shape_keys.h"

#include <algorithm>
#include <map>
#include <utility>

namespace caravel::formatter {
namespace {

/// A name before '=' or ':' that fewer lines have is part of a value.
constexpr std::size_t kLeastLabelPercent = 2;
/// What stands in one place with more others is no name either, but the first half of a value:
/// "man-db:amd64".
constexpr std::size_t kMostLabelsInPlace = 3;

using Labels = std::unordered_map<std::string_view, std::size_t>;

/// How many lines have each name.
Labels count_labels(const std::vector<TokenLine>& lines) {
  Labels labels;
  // A place is a column of the lines that are as long.
  std::map<std::pair<std::size_t, std::size_t>, std::set<std::string_view>> places;
  for (const TokenLine& line : lines) {
    for (std::size_t column = 0; column < line.chunks.size(); ++column) {
      for (const Part& part : line.chunks[column].parts) {
        const bool name = part.text.ends_with('=') || part.text.ends_with(':');
        if (part.type != PartType::literal || part.text.size() < 2 || !name) continue;
        ++labels[part.text];
        if (part.text.ends_with(':')) places[{line.chunks.size(), column}].insert(part.text);
      }
    }
  }
  for (const auto& [place, names] : places) {
    if (names.size() <= kMostLabelsInPlace) continue;
    for (const std::string_view name : names) labels[name] = 0;
  }
  return labels;
}

void make_word_of_rare_label(Chunk& chunk, const Labels& labels, std::size_t least) {
  if (chunk.text.find_first_of(" \t") != chunk.text.npos) return;
  for (const Part& part : chunk.parts) {
    const auto label = labels.find(part.text);
    if (part.type != PartType::literal || label == labels.end() || label->second >= least) continue;
    chunk.parts = {{PartType::word, 0, chunk.text}};
    return;
  }
}

/// A type as a byte that stands in no line: lines with control characters are not looked at.
char byte_of(PartType type) { return static_cast<char>(1 + static_cast<int>(type)); }

std::string text_of(const std::vector<Chunk>& chunks, std::size_t column) {
  // Two dashes side by side stand for two values that are missing, one alone between values is
  // punctuation.
  const auto is_dash = [&](std::size_t i) { return i < chunks.size() && chunks[i].text == "-"; };
  if (is_dash(column)) {
    const bool missing = is_dash(column + 1) || (column > 0 && is_dash(column - 1));
    return missing ? std::string(1, byte_of(PartType::word)) : "-";
  }
  std::string text;
  for (const Part& part : chunks[column].parts) {
    if (part.type == PartType::literal) {
      text.append(part.text);
    } else {
      text.push_back(byte_of(part.type));
      if (part.type == PartType::stamp) text.push_back(static_cast<char>(1 + part.shape));
    }
  }
  return text;
}

}  // namespace

ShapeKeys::ShapeKeys(std::vector<TokenLine>& lines)
    : lines_(lines),
      numbers_{{std::string(1, byte_of(PartType::word)), kPlainWord}, {"-", kDash}},
      keys_(lines.size()) {
  const Labels labels = count_labels(lines);
  const std::size_t least = std::max<std::size_t>(3, lines.size() * kLeastLabelPercent / 100);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    auto& chunks = lines[i].chunks;
    for (Chunk& chunk : chunks) make_word_of_rare_label(chunk, labels, least);
    for (std::size_t column = 0; column < chunks.size(); ++column) {
      keys_[i].push_back(number_of(text_of(chunks, column)));
    }
    if (!lines[i].all) keys_[i].push_back(number_of("..."));
  }
}

std::size_t ShapeKeys::number_of(const std::string& text) {
  const std::size_t number = numbers_.emplace(text, numbers_.size()).first->second;
  if (text.size() > 1 && text.back() == ':') colons_.insert(number);
  return number;
}

}  // namespace caravel::formatter
