#include "formatter/suggest/draft.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/text.h"

namespace caravel::formatter {
namespace {

constexpr std::size_t kMostNameBytes = 40;
/// Flow lists longer than this are written one name a line.
constexpr std::size_t kMostLineBytes = 90;

/// What YAML 1.1 would read as something else than the text, in whatever case.
constexpr auto kNoTexts = std::to_array<std::string_view>(
    {"y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"});

/// A letter, then letters, digits and what means nothing to YAML between them.
bool is_plain(std::string_view text) {
  if (text.empty() || !is_letter(text[0])) return false;
  const bool harmless = std::all_of(text.begin(), text.end(), [](char c) {
    return is_letter(c) || is_digit(c) || c == '_' || c == '-' || c == '.' || c == '/';
  });
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
  return harmless && std::find(kNoTexts.begin(), kNoTexts.end(), lower) == kNoTexts.end();
}

std::string columns_text(const std::vector<ColumnDraft>& columns) {
  const bool commented = std::any_of(columns.begin(), columns.end(), [](const ColumnDraft& column) {
    return !column.about.empty();
  });
  std::string flow;
  std::string block;
  for (const ColumnDraft& column : columns) {
    const std::string name = yaml_scalar(column.name);
    flow += (flow.empty() ? "" : ", ") + name;
    block += "\n  - " + name;
    if (!column.about.empty()) block += "    # " + column.about;
  }
  if (commented || flow.size() > kMostLineBytes) return "columns:" + block + "\n";
  return "columns: [" + flow + "]\n";
}

std::string kind_text(const KindDraft& kind) {
  std::string text;
  if (kind.lines > 0) {
    text += fmt::format("  # {} line{} of the sample, such as\n  #   {}\n", kind.lines,
                        kind.lines == 1 ? "" : "s", in_comment(kind.example));
  }
  text +=
      fmt::format("  - kind: {}\n    line: {}\n", yaml_scalar(kind.name), yaml_scalar(kind.line));
  return text;
}

}  // namespace

std::string in_comment(std::string_view text, std::size_t most) { return shown(text, most); }

std::string yaml_scalar(std::string_view text) {
  if (is_plain(text)) return std::string(text);
  std::string quoted;
  bool escapes = false;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = std::max<std::size_t>(utf8_length(text.substr(at)), 1);
    const std::string_view character = text.substr(at, length);
    const auto byte = static_cast<unsigned char>(character[0]);
    if (length == 1 && (byte < 0x20 || byte == 0x7f)) {
      quoted += byte == '\t' ? "\\t" : fmt::format("\\x{:02x}", byte);
      escapes = true;
    } else if (character == "\"" || character == "\\") {
      quoted += "\\" + std::string(character);
    } else {
      quoted += character;
    }
    at += length;
  }
  if (escapes) return "\"" + quoted + "\"";
  // Between single quotes only these have a meaning, so that a pattern reads as it is.
  std::string single;
  for (const char c : text) single += c == '\'' ? "''" : std::string(1, c);
  return "'" + single + "'";
}

std::string yaml_of(const Draft& draft) {
  std::string text;
  for (const std::string& note : draft.notes) text += "# " + note + "\n";
  text += "format: " + yaml_scalar(draft.name) + "\n";
  text += "about: " + yaml_scalar(draft.about) + "\n";
  if (draft.reader != "pattern") text += "reader: " + draft.reader + "\n";
  for (const auto& [key, value] : draft.settings) text += key + ": " + value + "\n";
  text += fmt::format("identity: {}    # {}\n", draft.by_position ? "position" : "line",
                      draft.identity_reason);
  if (draft.any_blanks) text += "blanks: any\n";
  if (!draft.time.empty()) text += "time: " + draft.time + "\n";
  if (!draft.key.empty()) text += "key: " + yaml_scalar(draft.key) + "\n";
  if (!draft.columns.empty()) text += columns_text(draft.columns);
  if (!draft.kinds.empty()) text += "kinds:\n";
  for (const KindDraft& kind : draft.kinds) text += kind_text(kind);
  return text;
}

std::string name_from(std::string_view text) {
  std::string name;
  for (const char c : text.substr(0, kMostNameBytes)) {
    if (is_letter(c) || is_digit(c) || c == '-' || c == '.') {
      name.push_back(c);
    } else if (!name.empty() && name.back() != '_') {
      name.push_back('_');
    }
  }
  while (!name.empty() && !is_letter(name.back()) && !is_digit(name.back())) name.pop_back();
  const auto begin = std::find_if(name.begin(), name.end(), is_letter);
  name.erase(name.begin(), begin);
  return name;
}

std::string UniqueNames::give(const std::string& wanted) {
  std::string name = wanted;
  const auto taken = [&] { return std::find(given_.begin(), given_.end(), name) != given_.end(); };
  for (int n = 2; taken(); ++n) name = fmt::format("{}{}", wanted, n);
  given_.push_back(name);
  return name;
}

}  // namespace caravel::formatter
