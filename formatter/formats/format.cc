#include "formatter/formats/format.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <simdjson.h>

#include "formatter/rows/csv.h"

namespace caravel::formatter {
namespace {

bool is_number(OpCode code) {
  return code == OpCode::integer || code == OpCode::implied || code == OpCode::decimal ||
         code == OpCode::epoch;
}

bool is_date(OpCode code) { return code == OpCode::month_day || code == OpCode::date; }

ColumnRule rule_for(const Op& op) {
  ColumnRule rule;
  rule.capture = op.capture;
  rule.digits = op.arg;
  switch (op.code) {
    case OpCode::implied:
      rule.emit = Emit::implied;
      break;
    case OpCode::month_day:
    case OpCode::date:
      rule.emit = Emit::iso_date;
      break;
    case OpCode::integer:
    case OpCode::decimal:
    case OpCode::epoch:
    case OpCode::offset:
    case OpCode::ip:
      rule.emit = Emit::plain;
      break;
    case OpCode::choice:
    case OpCode::bracketed:
      if (op.options.empty()) {
        rule.emit = Emit::textual;
        break;
      }
      rule.emit = Emit::option;
      for (const Option& option : op.options) {
        rule.values.emplace_back();
        append_csv_field(option.value, rule.values.back());
      }
      break;
    default:
      rule.emit = Emit::textual;
      break;
  }
  return rule;
}

/// How many bytes of a column are not from the line, at most; quotes and comma included.
std::size_t most_added(const ColumnRule& rule) {
  constexpr std::size_t kQuotesAndComma = 3;
  constexpr std::size_t kDate = 10;
  std::size_t most = std::max(kDate, rule.constant.size());
  for (const std::string& value : rule.values) most = std::max(most, value.size());
  return kQuotesAndComma + most;
}

/// Compiles the kinds of one format file; holds what they have in common.
class KindCompiler {
 public:
  KindCompiler(const YamlNode& root, Format& format) : root_(root), format_(format) {}

  Result<> compile_all() {
    CARAVEL_TRY(read_common());
    for (const YamlNode& node : root_["kinds"].items()) CARAVEL_TRY(compile(node));
    if (format_.kinds.empty()) return root_["kinds"].error("must be a list of record kinds");
    for (std::size_t i = 1; i < format_.kinds.size(); ++i) {
      format_.kinds[i].shared = format_.kinds[i].pattern.shared_with(format_.kinds[i - 1].pattern);
    }
    for (Column& column : format_.columns) {
      const auto types = types_.find(column.name);
      if (types == types_.end()) {
        return root_["columns"].error(
            fmt::format("no kind has a value for the column '{}'", column.name));
      }
      column.type = types->second;
    }
    return {};
  }

 private:
  Result<> read_common() {
    auto names = root_["columns"].as_strings();
    if (!names) return tl::unexpected(names.error());
    for (const std::string& name : *names) {
      const auto same = [&](const Column& column) { return column.name == name; };
      if (std::any_of(format_.columns.begin(), format_.columns.end(), same)) {
        return root_["columns"].error(fmt::format("the column '{}' stands twice", name));
      }
      if (name.empty()) return root_["columns"].error("a column without a name");
      format_.columns.push_back({name, ColumnType::text});
    }
    if (format_.columns.empty()) return root_["columns"].error("must name at least one column");
    if (root_["blanks"].exists()) {
      CARAVEL_ASSIGN_OR_RETURN(auto blanks, root_["blanks"].as_choice({"any", "exact"}));
      any_blanks_ = blanks == "any";
    }
    if (root_["time"].exists()) {
      if (root_["time"].is_scalar()) {
        time_names_.push_back(*root_["time"].as_string());
      } else {
        CARAVEL_ASSIGN_OR_RETURN(auto list, root_["time"].as_strings());
        time_names_ = std::move(list);
      }
      const bool unnamed =
          std::find(time_names_.begin(), time_names_.end(), "") != time_names_.end();
      if (unnamed || time_names_.empty() || time_names_.size() > 3) {
        return root_["time"].error("names one to three captures: date, time, offset");
      }
    } else if (format_.identity == Identity::line) {
      return root_.error(
          "a format without `time` must say `identity: position`: "
          "its row ids are made of the place in the log");
    }
    if (root_["key"].exists()) {
      auto key = root_["key"].as_string();
      if (!key) return tl::unexpected(key.error());
      key_name_ = std::move(*key);
      if (key_name_.empty()) return root_["key"].error("must name a capture");
    }
    return {};
  }

  Result<> compile(const YamlNode& node) {
    CARAVEL_TRY(node.expect_keys({"kind", "line", "action", "set"}));
    Kind kind;
    CARAVEL_ASSIGN_OR_RETURN(auto name, node["kind"].as_string());
    kind.name = std::move(name);
    if (node["action"].exists()) {
      CARAVEL_ASSIGN_OR_RETURN(auto action, node["action"].as_choice({"keep", "drop"}));
      kind.keep = action == "keep";
    }
    auto line = node["line"].as_string();
    if (!line) return tl::unexpected(line.error());
    auto pattern = Pattern::compile(*line, any_blanks_);
    if (!pattern) return node["line"].error(pattern.error().message);
    kind.pattern = std::move(*pattern);
    for (const Op& op : kind.pattern.ops()) {
      if (op.code == OpCode::month_day && !kind.month_day) kind.month_day = op.capture;
    }
    if (kind.keep) {
      CARAVEL_TRY(add_columns(node, kind));
      CARAVEL_TRY(add_time(node, kind));
      if (!key_name_.empty()) {
        const auto key = capture_named(kind, key_name_);
        if (!key) {
          return node["line"].error(fmt::format("captures no '{}', the format's key", key_name_));
        }
        kind.key = *key;
      }
    } else if (node["set"].exists()) {
      return node["set"].error("a dropped line has no columns");
    }
    format_.kinds.push_back(std::move(kind));
    return {};
  }

  static std::optional<std::uint8_t> capture_named(const Kind& kind, const std::string& name) {
    const auto& names = kind.pattern.names();
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) return std::nullopt;
    return static_cast<std::uint8_t>(found - names.begin());
  }

  Result<> add_columns(const YamlNode& node, Kind& kind) {
    CARAVEL_TRY(check_names(node, kind));
    for (const Column& column : format_.columns) {
      ColumnRule rule;
      if (const auto capture = capture_named(kind, column.name)) {
        const Op& op = kind.pattern.op_of(*capture);
        rule = rule_for(op);
        merge_type(column.name, is_number(op.code) ? ColumnType::number : ColumnType::text);
      } else if (node["set"].exists() && node["set"][column.name].exists()) {
        CARAVEL_ASSIGN_OR_RETURN(auto value, node["set"][column.name].as_string());
        rule.emit = Emit::constant;
        append_csv_field(value, rule.constant);
        merge_type(column.name, ColumnType::text);
      }
      kind.most_added += most_added(rule);
      kind.columns.push_back(std::move(rule));
    }
    return {};
  }

  /// Every `set` must be a column; a capture that is neither a column nor otherwise used is most
  /// likely a misspelt one.
  Result<> check_names(const YamlNode& node, const Kind& kind) {
    std::vector<std::string> columns;
    for (const Column& column : format_.columns) columns.push_back(column.name);
    const auto is_column = [&](const std::string& name) {
      return std::find(columns.begin(), columns.end(), name) != columns.end();
    };
    if (node["set"].exists()) CARAVEL_TRY(node["set"].expect_keys(columns));
    for (const auto& [name, value] : node["set"].pairs()) {
      if (capture_named(kind, name)) return value.error("is captured by the line already");
    }
    for (const std::string& name : kind.pattern.names()) {
      const bool used =
          name.empty() || is_column(name) || name == key_name_ ||
          std::find(time_names_.begin(), time_names_.end(), name) != time_names_.end();
      if (used) continue;
      const std::string nearest = nearest_word(name, columns);
      return node["line"].error(
          fmt::format("'{}' is no column, key or time{}", name,
                      nearest.empty() ? std::string(" (leave the name out to check a value only)")
                                      : fmt::format("; did you mean '{}'?", nearest)));
    }
    return {};
  }

  void merge_type(const std::string& column, ColumnType type) {
    const auto [place, added] = types_.emplace(column, type);
    if (!added && place->second != type) place->second = ColumnType::text;
  }

  Result<> add_time(const YamlNode& node, Kind& kind) {
    if (time_names_.empty()) return {};
    std::vector<std::uint8_t> captures;
    for (const std::string& name : time_names_) {
      const auto capture = capture_named(kind, name);
      if (!capture) return node["line"].error(fmt::format("captures no '{}', named in time", name));
      captures.push_back(*capture);
    }
    const auto code = [&](std::size_t i) { return kind.pattern.op_of(captures[i]).code; };
    kind.time.date = captures[0];
    if (captures.size() == 1) {
      if (code(0) == OpCode::timestamp) {
        kind.time.source = TimeRule::Source::timestamp;
      } else if (code(0) == OpCode::epoch) {
        kind.time.source = kind.pattern.op_of(captures[0]).arg != 0
                               ? TimeRule::Source::epoch_milliseconds
                               : TimeRule::Source::epoch_seconds;
      } else {
        return root_["time"].error("one capture must be a timestamp or an epoch");
      }
      return {};
    }
    if (!is_date(code(0)) || code(1) != OpCode::time ||
        (captures.size() == 3 && code(2) != OpCode::offset)) {
      return root_["time"].error("must name a date, a time and perhaps an offset, in this order");
    }
    kind.time.source = TimeRule::Source::date_time;
    kind.time.time = captures[1];
    if (captures.size() == 3) kind.time.offset = captures[2];
    return {};
  }

  const YamlNode& root_;
  Format& format_;
  bool any_blanks_ = false;
  std::vector<std::string> time_names_;
  std::string key_name_;
  std::map<std::string, ColumnType> types_;
};

/// Names and constants end up in CSV, JSON and SQL; yaml-cpp lets any byte through.
bool is_utf8(const Format& format) {
  std::vector<std::string_view> texts = {format.name, format.time_column, format.key_column};
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

Result<> read_text(const YamlNode& node, std::string& out) {
  if (!node.exists()) return {};
  CARAVEL_ASSIGN_OR_RETURN(auto text, node.as_string());
  out = std::move(text);
  return {};
}

/// `columns` of a reader that would else take them from the first line.
Result<> read_record_columns(const YamlNode& root, Format& format) {
  const YamlNode node = root["columns"];
  if (!node.exists()) return {};
  CARAVEL_ASSIGN_OR_RETURN(auto names, node.as_strings());
  if (names.empty()) return node.error("must name at least one column");
  const auto type = format.reader == Reader::csv ? ColumnType::automatic : ColumnType::json;
  for (const std::string& name : names) {
    if (name.empty()) return node.error("a column without a name");
    if (std::count(names.begin(), names.end(), name) > 1) {
      return node.error(fmt::format("the column '{}' stands twice", name));
    }
    format.columns.push_back({name, type});
  }
  for (const auto& [key, column] :
       {std::pair("time", &format.time_column), std::pair("key", &format.key_column)}) {
    if (column->empty() || std::find(names.begin(), names.end(), *column) != names.end()) {
      continue;
    }
    return root[key].error(fmt::format("'{}' is none of the columns", *column));
  }
  return {};
}

}  // namespace

bool Format::needs_year() const {
  return std::any_of(kinds.begin(), kinds.end(),
                     [](const Kind& kind) { return kind.month_day.has_value(); });
}

std::vector<std::string> Format::kind_names() const {
  std::vector<std::string> names;
  for (const Kind& kind : kinds) names.push_back(kind.name);
  if (reader != Reader::pattern) names.emplace_back("record");
  return names;
}

Result<Format> compile_format(const YamlNode& root) {
  CARAVEL_TRY(root.expect_keys({"format", "about", "reader", "identity", "detect", "blanks", "time",
                                "key", "columns", "kinds"}));
  Format format;
  format.file = root.file();
  auto name = root["format"].as_string();
  if (!name) return tl::unexpected(name.error());
  format.name = std::move(*name);
  if (format.name == "auto" || format.name.empty()) {
    return root["format"].error("this name is taken: choose another");
  }
  CARAVEL_TRY(read_text(root["about"], format.about));
  if (root["identity"].exists()) {
    CARAVEL_ASSIGN_OR_RETURN(auto identity, root["identity"].as_choice({"line", "position"}));
    format.identity = identity == "line" ? Identity::line : Identity::position;
  }
  if (root["detect"].exists()) {
    CARAVEL_ASSIGN_OR_RETURN(auto detect, root["detect"].as_bool());
    format.detect = detect;
  }
  if (root["reader"].exists()) {
    auto reader = root["reader"].as_choice({"pattern", "csv", "jsonl"});
    if (!reader) return tl::unexpected(reader.error());
    if (*reader != "pattern") {
      format.reader = *reader == "csv" ? Reader::csv : Reader::jsonl;
      for (const char* key : {"kinds", "blanks"}) {
        if (root[key].exists()) return root[key].error("belongs to `reader: pattern` only");
      }
      CARAVEL_TRY(read_text(root["time"], format.time_column));
      CARAVEL_TRY(read_text(root["key"], format.key_column));
      CARAVEL_TRY(read_record_columns(root, format));
      if (format.time_column.empty() && format.identity == Identity::line) {
        return root.error("a format without `time` must say `identity: position`");
      }
    }
  }
  if (format.reader == Reader::pattern) CARAVEL_TRY(KindCompiler(root, format).compile_all());
  if (!is_utf8(format)) return root.error("holds text that is not valid UTF-8");
  return format;
}

}  // namespace caravel::formatter
