#include "base/words/yaml_trouble.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace caravel {
namespace {

/// Messages of yaml-cpp 0.7 (yaml-cpp/exceptions.h) by their beginnings, and what people do to get
/// them.
constexpr std::string_view kTab = "illegal tab when looking for indentation";
struct Trouble {
  std::string_view said;
  std::string_view means;
};
constexpr std::array<Trouble, 17> kTroubles{{
    {"alias not found after *",
     "a value that begins with '*' needs quotes: \"*.log\" (in YAML '*' begins an alias)"},
    {"the referenced anchor is not defined",
     "a value that begins with '*' needs quotes: \"*.log\" (in YAML '*' begins an alias)"},
    {"illegal character found while scanning alias",
     "a value that begins with '*' needs quotes: \"*.log\" (in YAML '*' begins an alias)"},
    {"cannot assign multiple aliases",
     "a value that begins with '*' needs quotes: \"*.log\" (in YAML '*' begins an alias)"},
    {"anchor not found after &", "a value that begins with '&' needs quotes"},
    {"illegal character found while scanning anchor", "a value that begins with '&' needs quotes"},
    {"unknown token", "a value that begins with '@', '`' or '%' needs quotes"},
    {"unknown escape character",
     "in double quotes a '\\' must be written '\\\\'; between single quotes it is a letter like "
     "others"},
    {kTab, "there is a tab; YAML indents with blanks only"},
    {"illegal map value",
     "a second ': ' in one line: a value that holds ': ' needs quotes, and each key a line of its "
     "own"},
    {"illegal map key", "this key stands where no key can: is it indented like its neighbours?"},
    {"illegal block entry",
     "this '-' stands where no item can: is it indented like its neighbours?"},
    {"end of map flow not found",
     "a '{' before this is not closed, a ',' is missing, or a value with ${…} needs quotes"},
    {"end of sequence flow not found", "a '[' before this is not closed, or a ',' is missing"},
    {"end of map not found",
     "this line is not indented like its neighbours, or ': ' is missing in it"},
    {"end of sequence not found",
     "this line is not indented like its neighbours, or '- ' is missing in it"},
    {"illegal EOF in scalar", "a quote is not closed"},
}};

/// From the beginning of the line that `at` stands in.
std::string_view line_of(std::string_view text, std::size_t at) {
  at = std::min(at, text.size());
  const std::size_t before = at == 0 ? std::string_view::npos : text.rfind('\n', at - 1);
  return text.substr(before == std::string_view::npos ? 0 : before + 1);
}

/// "match" of "    match: *.log".
std::string_view key_of_line(std::string_view line) {
  line.remove_prefix(std::min(line.find_first_not_of(" -{"), line.size()));
  const auto end = std::find_if(line.begin(), line.end(), [](unsigned char c) {
    return std::isalnum(c) == 0 && c != '_' && c != '-';
  });
  const std::string_view key = line.substr(0, static_cast<std::size_t>(end - line.begin()));
  return line.substr(key.size()).starts_with(':') ? key : std::string_view();
}

}  // namespace

std::string explain_yaml_trouble(std::string_view said, std::string_view text, std::size_t at) {
  const std::string_view line = line_of(text, at);
  // The library finds a tab only where it looks for blanks; else it finds what follows from it.
  const std::string_view indent = line.substr(0, line.find_first_not_of(" \t"));
  if (indent.find('\t') != std::string_view::npos) said = kTab;
  const auto* const known = std::find_if(kTroubles.begin(), kTroubles.end(), [&](const Trouble& t) {
    return said.starts_with(t.said);
  });
  std::string out(key_of_line(line));
  if (!out.empty()) out += ": ";
  // The library's words too: they can be looked up.
  out += known == kTroubles.end() ? std::string(said)
                                  : std::string(known->means) + " (" + std::string(said) + ")";
  return out;
}

}  // namespace caravel
