#include "formatter/formats/time_keys.h"

#include <algorithm>

#include <fmt/format.h>

#include "formatter/times/iso8601.h"

namespace caravel::formatter {
namespace {

/// A date, a clock, an offset.
constexpr std::size_t kMostColumns = 3;

/// "+02:00" as seconds east of UTC.
Result<int> read_offset(const YamlNode& node) {
  CARAVEL_ASSIGN_OR_RETURN(auto text, node.as_string());
  const std::size_t size = text.size();
  text.append(8, '\n');
  int seconds = 0;
  const char* const end = parse_iso_offset(text.data(), seconds);
  if (end == text.data() + size) return seconds;
  return node.error("must be an offset such as +02:00");
}

/// One text or a list of texts.
Result<std::vector<std::string>> one_or_more(const YamlNode& node) {
  if (!node.is_scalar()) return node.as_strings();
  CARAVEL_ASSIGN_OR_RETURN(auto text, node.as_string());
  return std::vector<std::string>{std::move(text)};
}

Result<> read_columns(const YamlNode& node, RecordTimeRule& rule) {
  CARAVEL_ASSIGN_OR_RETURN(rule.columns, one_or_more(node));
  const bool nameless =
      std::find(rule.columns.begin(), rule.columns.end(), "") != rule.columns.end();
  if (rule.columns.empty() || nameless || rule.columns.size() > kMostColumns) {
    return node.error("names one to three columns: date, time, offset");
  }
  return {};
}

}  // namespace

Result<> read_zones(const YamlNode& root, ZoneRules& zones) {
  if (root["zones"].exists()) CARAVEL_TRY(root["zones"].expect_map());
  for (const auto& [name, value] : root["zones"].pairs()) {
    CARAVEL_ASSIGN_OR_RETURN(const int seconds, read_offset(value));
    zones.named.emplace_back(name, seconds);
  }
  const YamlNode zone = root["zone"];
  if (!zone.exists()) return {};
  CARAVEL_ASSIGN_OR_RETURN(const auto name, zone.as_string());
  const auto located = locate_zone(name);
  if (!located) return zone.error(located.error().message);
  if (!root["time"].exists()) return zone.error("belongs to a format with `time`");
  zones.local = *located;
  return {};
}

Result<> read_record_time(const YamlNode& node, const ZoneRules& zones, RecordTimeRule& rule) {
  rule.zone = zones.local;
  if (!node.exists()) return {};
  if (!node.is_map()) return read_columns(node, rule);
  CARAVEL_TRY(node.expect_keys({"column", "columns", "format"}));
  if (node["column"].exists() == node["columns"].exists()) {
    return node.error("must name `column` or `columns`");
  }
  CARAVEL_TRY(read_columns(node["column"].exists() ? node["column"] : node["columns"], rule));
  const YamlNode format = node["format"];
  if (!format.exists()) return {};
  CARAVEL_ASSIGN_OR_RETURN(const auto texts, one_or_more(format));
  if (texts.empty()) return format.error("must be a layout such as '%d.%m.%Y %H:%M'");
  for (const std::string& text : texts) {
    auto layout = TimeLayout::compile_moment(text, zones);
    if (!layout) return format.error(layout.error().message);
    rule.layouts.push_back(std::move(*layout));
  }
  return {};
}

}  // namespace caravel::formatter
