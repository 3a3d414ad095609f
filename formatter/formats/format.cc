#include "formatter/formats/format.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>
#include <simdjson.h>

#include "formatter/formats/kind_compiler.h"
#include "formatter/formats/privacy_keys.h"
#include "formatter/formats/record_keys.h"
#include "formatter/formats/time_keys.h"

namespace caravel::formatter {
namespace {

/// Names and constants end up in CSV, JSON and SQL, where text that is not UTF-8 makes the store
/// refuse a whole batch. yaml-cpp lets any byte through, so it is checked here.
bool is_utf8(const Format& format) {
  std::vector<std::string_view> texts = {format.name, format.key_column};
  for (const std::string& column : format.record_time.columns) texts.emplace_back(column);
  for (const TimeLayout& layout : format.record_time.layouts) texts.emplace_back(layout.text());
  for (const Column& column : format.columns) texts.emplace_back(column.name);
  for (const Kind& kind : format.kinds) {
    texts.emplace_back(kind.name);
    for (const ColumnRule& rule : kind.columns) {
      texts.emplace_back(rule.constant);
      texts.insert(texts.end(), rule.values.begin(), rule.values.end());
    }
  }
  return std::all_of(texts.begin(), texts.end(), [](std::string_view text) {
    return simdjson::validate_utf8(text.data(), text.size());
  });
}

/// `identity: line` if the key is missing.
Result<> read_identity(const YamlNode& node, Identity& identity) {
  if (!node.exists()) return {};
  CARAVEL_ASSIGN_OR_RETURN(const auto word, node.as_choice({"line", "position"}));
  identity = word == "line" ? Identity::line : Identity::position;
  return {};
}

/// `reader: pattern` if the key is missing.
Result<> read_reader(const YamlNode& node, Reader& reader) {
  if (!node.exists()) return {};
  CARAVEL_ASSIGN_OR_RETURN(const auto word,
                           node.as_choice({"pattern", "csv", "jsonl", "logfmt", "w3c", "journal"}));
  if (word == "csv") reader = Reader::csv;
  if (word == "jsonl") reader = Reader::jsonl;
  if (word == "logfmt") reader = Reader::logfmt;
  if (word == "w3c") reader = Reader::w3c;
  if (word == "journal") reader = Reader::journal;
  return {};
}

/// `encoding: utf-8` if the key is missing.
Result<> read_encoding(const YamlNode& node, Encoding& encoding) {
  if (!node.exists()) return {};
  CARAVEL_ASSIGN_OR_RETURN(const auto name,
                           node.as_choice({"utf-8", "latin-1", "cp1252", "utf-16"}));
  const auto found = std::find(std::begin(kEncodingNames), std::end(kEncodingNames), name);
  encoding = static_cast<Encoding>(found - std::begin(kEncodingNames));
  if (encoding != Encoding::latin1 && encoding != Encoding::cp1252) return {};
  // Asked now: at the first extract it would be a surprise.
  auto decoder = Decoder::open(encoding);
  if (!decoder) return node.error(decoder.error().message);
  return {};
}

/// `max_record`, of formats whose records may span lines.
Result<> read_max_record(const YamlNode& node, Format& format) {
  if (!node.exists()) return {};
  if (format.reader != Reader::csv && format.reader != Reader::journal && !format.continues) {
    return node.error(
        "only records of `reader: csv` and `journal`, and those with `continues`, span lines");
  }
  CARAVEL_ASSIGN_OR_RETURN(const auto bytes, node.as_size());
  constexpr std::uint64_t kLeast = 1 << 10;
  constexpr std::uint64_t kMost = 64 << 20;
  if (bytes < kLeast || bytes > kMost) return node.error("must be from 1KiB to 64MiB");
  format.records.bytes = bytes;
  return {};
}

}  // namespace

bool Format::needs_year() const {
  // `format` and `process` ask a person for it, so the question must come before the first line.
  return std::any_of(kinds.begin(), kinds.end(),
                     [](const Kind& kind) { return kind.month_day.has_value(); }) ||
         record_time.lacks_year();
}

bool RecordTimeRule::lacks_year() const {
  return std::any_of(layouts.begin(), layouts.end(),
                     [](const TimeLayout& layout) { return layout.lacks_year(); });
}

std::vector<std::string> Format::kind_names() const {
  std::vector<std::string> names;
  for (const Kind& kind : kinds) names.push_back(kind.name);
  // Lines that carry their own structure are all of one kind, which no file names.
  if (reader != Reader::pattern) names.emplace_back("record");
  return names;
}

Result<Format> compile_format(const YamlNode& root) {
  // First of all: a misspelt key must not be taken for one that was left out.
  CARAVEL_TRY(root.expect_keys({"format",    "about",    "reader",        "identity",   "detect",
                                "blanks",    "time",     "zone",          "zones",      "key",
                                "columns",   "kinds",    "encoding",      "max_record", "continues",
                                "starts",    "records",  "separator",     "quote",      "decimal",
                                "header",    "skip",     "columns_extra", "examples",   "privacy",
                                "unmatched", "hash_key", "keep_salt"}));
  Format format;
  format.file = root.file();
  CARAVEL_ASSIGN_OR_RETURN(format.name, root["format"].as_string());
  // `auto` means "find the format" wherever a format is named.
  if (format.name == "auto" || format.name.empty()) {
    return root["format"].error("this name is taken: choose another");
  }
  if (root["about"].exists()) {
    CARAVEL_ASSIGN_OR_RETURN(format.about, root["about"].as_string());
  }
  // Before the kinds are read: they need a time unless the identity is the position.
  CARAVEL_TRY(read_identity(root["identity"], format.identity));
  if (root["detect"].exists()) {
    CARAVEL_ASSIGN_OR_RETURN(format.detect, root["detect"].as_bool());
  }
  CARAVEL_TRY(read_reader(root["reader"], format.reader));
  CARAVEL_TRY(read_encoding(root["encoding"], format.encoding));
  if (format.reader == Reader::pattern) CARAVEL_TRY(refuse_csv_keys(root));
  CARAVEL_TRY(read_zones(root, format.zones));
  CARAVEL_TRY(format.reader == Reader::pattern ? compile_kinds(root, format)
                                               : read_record_keys(root, format));
  CARAVEL_TRY(read_max_record(root["max_record"], format));
  CARAVEL_TRY(read_privacy(root, format));
  if (!is_utf8(format)) return root.error("holds text that is not valid UTF-8");
  // Last of all: they speak of the columns and kinds.
  CARAVEL_TRY(read_examples(root["examples"], format));
  return format;
}

}  // namespace caravel::formatter
