#include "formatter/formats/kind_compiler.h"

#include <algorithm>
#include <array>
#include <map>

#include <fmt/format.h>

#include "formatter/formats/privacy_keys.h"
#include "formatter/patterns/capture_types.h"
#include "formatter/rows/csv.h"

namespace caravel::formatter {
namespace {

bool holds(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// How a column is written that `op` captures.
ColumnRule rule_for(const Op& op) {
  const CaptureRow& row = row_of(op.type);
  ColumnRule rule;
  rule.capture = op.capture;
  rule.digits = op.arg;
  rule.emit = op.options.empty() ? row.emit : Emit::option;
  if (rule.emit == Emit::iso_time) rule.times = op.times;
  // Quoted now, once: a row only copies the value of the option that it has.
  for (const Option& option : op.options) {
    rule.values.emplace_back();
    append_csv_field(option.value, rule.values.back());
  }
  return rule;
}

/// How many bytes of a column are not from the line, at most; quotes and comma included.
std::size_t most_added(const ColumnRule& rule) {
  constexpr std::size_t kQuotesAndComma = 3;
  // YYYY-MM-DDTHH:MM:SS.+HH:MM:SS of a line that has less, and the zeros of a fraction.
  constexpr std::size_t kTime = 40;
  std::size_t most = std::max(kTime, rule.constant.size());
  for (const std::string& value : rule.values) most = std::max(most, value.size());
  return kQuotesAndComma + most;
}

/// The slot of the capture of that name; nothing if the kind captures no such value.
std::optional<std::uint8_t> capture_named(const Kind& kind, const std::string& name) {
  const auto& names = kind.pattern.names();
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return std::nullopt;
  return static_cast<std::uint8_t>(found - names.begin());
}

/// Compiles the kinds of one format file; holds what they have in common.
class KindCompiler {
 public:
  KindCompiler(const YamlNode& root, Format& format) : root_(root), format_(format) {}

  Result<> compile_all() {
    CARAVEL_TRY(read_common());
    for (const YamlNode& node : root_["kinds"].items()) CARAVEL_TRY(compile(node));
    if (format_.kinds.empty()) return root_["kinds"].error("must be a list of record kinds");
    // The matcher tries the kinds in order. Ops that a kind shares with the kind before it are not
    // run again.
    for (std::size_t i = 1; i < format_.kinds.size(); ++i) {
      format_.kinds[i].shared = format_.kinds[i].pattern.shared_with(format_.kinds[i - 1].pattern);
    }
    // After all kinds: each of them may give a column its first value, or turn its type into text.
    for (Column& column : format_.columns) {
      const auto types = types_.find(column.name);
      // Most likely misspelt: it would be empty in every row, and nobody would notice.
      if (types == types_.end()) {
        return root_["columns"].error(
            fmt::format("no kind has a value for the column '{}'", column.name));
      }
      column.type = types->second;
    }
    return {};
  }

 private:
  /// The keys that all kinds share. In this order: a wrong column is told before a wrong kind.
  Result<> read_common() {
    CARAVEL_ASSIGN_OR_RETURN(column_names_, read_column_names(root_));
    for (const std::string& name : column_names_) {
      format_.columns.push_back({name, ColumnType::text});
    }
    if (root_["blanks"].exists()) {
      CARAVEL_ASSIGN_OR_RETURN(const auto blanks, root_["blanks"].as_choice({"any", "exact"}));
      any_blanks_ = blanks == "any";
    }
    if (root_["continues"].exists() || root_["starts"].exists()) {
      CARAVEL_ASSIGN_OR_RETURN(auto rule, LineRule::read(root_, any_blanks_));
      format_.continues = std::move(rule);
    }
    CARAVEL_TRY(read_time_names());
    CARAVEL_ASSIGN_OR_RETURN(private_names_, read_privacy_names(root_));
    if (root_["key"].exists()) {
      CARAVEL_ASSIGN_OR_RETURN(key_name_, root_["key"].as_string());
      if (key_name_.empty()) return root_["key"].error("must name a capture");
    }
    return {};
  }

  /// Reads which captures make the time. None may be named only if the identity is the position.
  Result<> read_time_names() {
    const YamlNode node = root_["time"];
    if (!node.exists()) {
      if (format_.identity == Identity::position) return {};
      // Without a time, lines that say the same of different days would be one event.
      return root_.error(
          "a format without `time` must say `identity: position`: "
          "its row ids are made of the place in the log");
    }
    // `time: At` is short for `time: [At]`.
    if (node.is_scalar()) {
      time_names_.push_back(*node.as_string());
    } else {
      CARAVEL_ASSIGN_OR_RETURN(time_names_, node.as_strings());
    }
    if (holds(time_names_, "") || time_names_.empty() || time_names_.size() > 3) {
      return node.error("names one to three captures: date, time, offset");
    }
    return {};
  }

  Result<> compile(const YamlNode& node) {
    CARAVEL_TRY(node.expect_keys({"kind", "line", "action", "set"}));
    Kind kind;
    CARAVEL_ASSIGN_OR_RETURN(kind.name, node["kind"].as_string());
    if (node["action"].exists()) {
      CARAVEL_ASSIGN_OR_RETURN(const auto action, node["action"].as_choice({"keep", "drop"}));
      kind.keep = action == "keep";
    }
    CARAVEL_ASSIGN_OR_RETURN(const auto line, node["line"].as_string());
    Pattern::Piece wrong;
    auto pattern = Pattern::compile(line, any_blanks_, format_.zones, &wrong);
    // A pattern's error knows no place in the file; here it gets file, line and key.
    if (!pattern) {
      return node["line"].error_within(pattern.error().message, wrong.at, wrong.bytes);
    }
    kind.pattern = std::move(*pattern);
    // Dropped kinds too: their dates tell as well in which year an extract ends.
    for (const Op& op : kind.pattern.ops()) {
      if (lacks_year(op) && !kind.month_day) kind.month_day = op.capture;
    }
    kind.looked_at = kind.month_day.has_value();
    const Op& last = kind.pattern.ops().back();
    if (last.type == CaptureType::rest) kind.rest = last.capture;
    if (kind.keep) {
      // Else the lines that go on would be dropped without a word.
      if (format_.continues && !kind.rest) {
        return node["line"].error(
            "must end with a capture such as {Message:rest}: it takes the lines that `continues` "
            "joins to the first");
      }
      CARAVEL_TRY(add_columns(node, kind));
      CARAVEL_TRY(add_time(node, kind));
      make_pieces(kind);
      CARAVEL_TRY(add_key(node, kind));
    } else if (node["set"].exists()) {
      // Whoever writes `set` expects rows: more likely the action is wrong.
      return node["set"].error("a dropped line has no columns");
    }
    format_.kinds.push_back(std::move(kind));
    return {};
  }

  /// A rule for each of the format's columns: its capture, else the constant of `set`, else
  /// nothing.
  Result<> add_columns(const YamlNode& node, Kind& kind) {
    // First, so that a misspelt name is an error and not an empty column.
    CARAVEL_TRY(check_names(node, kind));
    for (const Column& column : format_.columns) {
      ColumnRule rule;
      if (const auto capture = capture_named(kind, column.name)) {
        const Op& op = kind.pattern.op_of(*capture);
        rule = rule_for(op);
        merge_type(column.name, row_of(op.type).number ? ColumnType::number : ColumnType::text);
      } else if (node["set"].exists() && node["set"][column.name].exists()) {
        CARAVEL_ASSIGN_OR_RETURN(const auto value, node["set"][column.name].as_string());
        rule.emit = Emit::constant;
        append_csv_field(value, rule.constant);
        merge_type(column.name, ColumnType::text);
      }
      kind.most_added += most_added(rule);
      // A rule that writes nothing is added as well: rows of all kinds have the same columns.
      kind.columns.push_back(std::move(rule));
    }
    return {};
  }

  /// Every `set` must be a column; a capture that is neither a column nor otherwise used is most
  /// likely a misspelt one.
  Result<> check_names(const YamlNode& node, const Kind& kind) const {
    if (node["set"].exists()) CARAVEL_TRY(node["set"].expect_keys(column_names_));
    for (const auto& [name, value] : node["set"].pairs()) {
      // A row has one value of a column: either the captured one or that of `set` would be lost.
      if (capture_named(kind, name)) return value.error("is captured by the line already");
    }
    for (const std::string& name : kind.pattern.names()) {
      const bool used = name.empty() || name == key_name_ || holds(column_names_, name) ||
                        holds(time_names_, name) || holds(private_names_, name);
      if (used) continue;
      const std::string nearest = nearest_word(name, column_names_);
      const auto line = node["line"].as_string();
      return node["line"].error_within(
          fmt::format("'{}' is no column, key or time{}", name,
                      nearest.empty() ? std::string(" (leave the name out to check a value only)")
                                      : fmt::format("; did you mean '{}'?", nearest)),
          line ? line->find("{" + name + ":") + 1 : 0, name.size());
    }
    return {};
  }

  /// A column is a number only if every kind that fills it writes a number.
  void merge_type(const std::string& column, ColumnType type) {
    const auto [place, added] = types_.emplace(column, type);
    if (!added && place->second != type) place->second = ColumnType::text;
  }

  /// Every kind must capture the key: it is a part of the row's id.
  Result<> add_key(const YamlNode& node, Kind& kind) const {
    if (key_name_.empty()) return {};
    kind.key = capture_named(kind, key_name_);
    if (!kind.key) {
      return node["line"].error(fmt::format("captures no '{}', the format's key", key_name_));
    }
    kind.key_in_lower_case = row_of(kind.pattern.op_of(*kind.key).type).emit == Emit::lower_case;
    return {};
  }

  /// Every kind must capture the time, in captures whose types make one together.
  Result<> add_time(const YamlNode& node, Kind& kind) const {
    if (time_names_.empty()) return {};
    std::vector<std::uint8_t> captures;
    std::vector<TimePart> parts;
    for (const std::string& name : time_names_) {
      const auto capture = capture_named(kind, name);
      if (!capture) return node["line"].error(fmt::format("captures no '{}', named in time", name));
      captures.push_back(*capture);
      parts.push_back(row_of(kind.pattern.op_of(*capture).type).time);
    }
    kind.time.date = captures[0];
    // What the captures are called is the format's affair; what they can be together is told by
    // their types.
    if (parts == std::vector{TimePart::timestamp}) {
      kind.time.source = TimeRule::Source::timestamp;
      return {};
    }
    if (parts == std::vector{TimePart::epoch}) {
      constexpr std::array<TimeRule::Source, 4> kSources = {
          TimeRule::Source::epoch_seconds, TimeRule::Source::epoch_milliseconds,
          TimeRule::Source::pieces, TimeRule::Source::pieces};
      kind.time.source = kSources[kind.pattern.op_of(captures[0]).arg];
      return {};
    }
    if (parts.size() == 1) {
      return root_["time"].error("one capture must be a timestamp or an epoch");
    }
    const bool is_date = parts[0] == TimePart::date || parts[0] == TimePart::date_without_year;
    if (!is_date || parts[1] != TimePart::clock ||
        (parts.size() == 3 && parts[2] != TimePart::offset)) {
      return root_["time"].error("must name a date, a time and perhaps an offset, in this order");
    }
    // The offset, if there is one, makes the time UTC; without one it stays as the line says it.
    kind.time.source = TimeRule::Source::date_time;
    kind.time.time = captures[1];
    if (captures.size() == 3) kind.time.offset = captures[2];
    return {};
  }

  /// How the time that one of the kind's captures says is read again.
  static TimePiece piece_of(const Kind& kind, std::uint8_t capture) {
    const Op& op = kind.pattern.op_of(capture);
    const TimePart part = row_of(op.type).time;
    TimePiece piece;
    piece.capture = capture;
    piece.packed_date = part == TimePart::date || part == TimePart::date_without_year;
    if (!op.times.empty()) {
      piece.layout = op.times.front();
    } else if (part == TimePart::epoch) {
      piece.layout = TimeLayout::epoch(static_cast<EpochUnit>(op.arg));
    } else if (part == TimePart::offset) {
      piece.layout = TimeLayout::iso_offset();
    } else if (part == TimePart::timestamp) {
      piece.layout = TimeLayout::iso_time();
    }
    return piece;
  }

  /// Times with a layout or a zone are made from pieces. All others keep to the ways that know what
  /// they look like, which are quicker.
  void make_pieces(Kind& kind) const {
    TimeRule& rule = kind.time;
    if (rule.source == TimeRule::Source::none) return;
    rule.pieces.push_back(piece_of(kind, rule.date));
    if (rule.source == TimeRule::Source::date_time)
      rule.pieces.push_back(piece_of(kind, rule.time));
    if (rule.offset) rule.pieces.push_back(piece_of(kind, *rule.offset));
    const bool laid_out =
        std::any_of(rule.pieces.begin(), rule.pieces.end(), [&](const TimePiece& piece) {
          const Op& op = kind.pattern.op_of(piece.capture);
          return !op.times.empty() && !piece.packed_date;
        });
    const bool may_lack_zone = !rule.offset && (rule.source == TimeRule::Source::date_time ||
                                                rule.source == TimeRule::Source::timestamp);
    if (may_lack_zone) rule.zone = format_.zones.local;
    if (laid_out || rule.zone != nullptr) rule.source = TimeRule::Source::pieces;
    if (rule.source != TimeRule::Source::pieces) return;
    // With a zone's name in a capture of its own, matching could not put date and name together.
    rule.may_be_skipped = rule.zone != nullptr || (laid_out && rule.offset.has_value());
    kind.looked_at |= rule.may_be_skipped;
  }

  const YamlNode& root_;
  Format& format_;
  bool any_blanks_ = false;
  std::vector<std::string> column_names_;
  std::vector<std::string> time_names_;
  std::vector<std::string> private_names_;
  std::string key_name_;
  std::map<std::string, ColumnType> types_;
};

}  // namespace

Result<std::vector<std::string>> read_column_names(const YamlNode& root) {
  const YamlNode node = root["columns"];
  CARAVEL_ASSIGN_OR_RETURN(auto names, node.as_strings());
  if (names.empty()) return node.error("must name at least one column");
  for (const std::string& name : names) {
    if (name.empty()) return node.error("a column without a name");
    if (std::count(names.begin(), names.end(), name) > 1) {
      return node.error(fmt::format("the column '{}' stands twice", name));
    }
  }
  return names;
}

Result<> compile_kinds(const YamlNode& root, Format& format) {
  return KindCompiler(root, format).compile_all();
}

}  // namespace caravel::formatter
