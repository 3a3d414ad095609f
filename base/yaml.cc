#include "base/yaml.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/excerpt.h"
#include "base/file.h"
#include "base/words/yaml_trouble.h"

namespace caravel {
namespace {

/// What a message says of one piece of a file.
struct Quoted {
  std::string place;  // "LINE:COLUMN", both from 1; columns are bytes
  std::string lines;  // the line of the file, and the carets below it; each behind a line end
};

Quoted quote(std::string_view text, std::size_t at, std::size_t bytes) {
  at = std::min(at, text.size());
  const auto line_number = 1 + std::count(text.begin(), text.begin() + static_cast<long>(at), '\n');
  const std::size_t before = text.substr(0, at).rfind('\n');
  const std::size_t begin = before == std::string_view::npos ? 0 : before + 1;
  std::string_view line = text.substr(begin);
  line = line.substr(0, line.find('\n'));
  if (line.ends_with('\r')) line.remove_suffix(1);
  // Wide enough for most lines of a format, and for most terminals.
  constexpr std::size_t kColumns = 100;
  const Excerpt excerpt = excerpt_of(line, at - begin, bytes, kColumns);
  const std::string gutter = fmt::format("  {} | ", line_number);
  return {fmt::format("{}:{}", line_number, at - begin + 1),
          fmt::format("\n{}{}\n{:>{}}{:{}}{:^>{}}", gutter, excerpt.text, "| ", gutter.size(), "",
                      excerpt.column, "", excerpt.columns)};
}

}  // namespace

// A configuration that cannot be read is for its author to mend, whatever the system's reason: kind
// usage.
Result<YamlNode> YamlNode::load(const std::string& path, Quote quoting) {
  // Nobody writes so much by hand: a larger file is not the one that was meant.
  constexpr std::size_t kMaxBytes = 4 << 20;
  auto text = read_file(path, kMaxBytes);
  if (!text) return fail(ErrorKind::usage, text.error().message);
  return parse(*text, path, quoting);
}

Result<YamlNode> YamlNode::parse(const std::string& text, const std::string& file, Quote quoting) {
  try {
    auto source = std::make_shared<Source>();
    source->file = file;
    // yaml-cpp does not count the byte order mark.
    constexpr std::string_view kMark = "\xEF\xBB\xBF";
    if (quoting == Quote::yes) source->text = text.substr(text.starts_with(kMark) ? 3 : 0);
    return YamlNode(YAML::Load(text), std::move(source), "", 1, {});
  } catch (const YAML::Exception& e) {
    const std::size_t at = e.mark.pos >= 0 ? static_cast<std::size_t>(e.mark.pos) : text.size();
    const std::string what = explain_yaml_trouble(e.msg, text, at);
    if (quoting == Quote::yes && e.mark.pos >= 0) {
      const Quoted quoted = quote(text, at, 1);
      return fail(ErrorKind::usage,
                  fmt::format("{}:{}: {}{}", file, quoted.place, what, quoted.lines));
    }
    // yaml-cpp counts lines from 0.
    return fail(ErrorKind::usage, fmt::format("{}:{}: {}", file, e.mark.line + 1, what));
  }
}

YamlNode::Piece YamlNode::piece_of(const YAML::Node& node) {
  const int at = node.Mark().pos;
  if (at < 0) return {};
  return {static_cast<std::size_t>(at), node.IsScalar() ? node.Scalar().size() : 1};
}

YamlNode::Piece YamlNode::value_piece() const {
  const bool beside = node_.IsDefined() && node_.Mark().line + 1 == line_;
  return beside ? piece_of(node_) : key_;
}

std::string YamlNode::child_path(std::string_view key) const {
  return path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
}

YamlNode YamlNode::operator[](const std::string& key) const {
  // Through pairs(), which knows the line of the key; yaml-cpp would give that of the value.
  for (auto& [name, value] : pairs()) {
    if (name == key) return std::move(value);
  }
  // A node, not an error: whether the key may be missing is for the caller to say, and the path is
  // there for that message.
  return YamlNode(YAML::Node(YAML::NodeType::Undefined), source_, child_path(key), line_,
                  value_piece());
}

std::vector<std::pair<std::string, YamlNode>> YamlNode::pairs() const {
  std::vector<std::pair<std::string, YamlNode>> out;
  if (!node_.IsMap()) return out;
  for (const auto& pair : node_) {
    // In YAML a key may be a list or a map. Such a key gets the name "?", which no caller knows, so
    // that expect_keys() refuses it.
    const std::string key = pair.first.IsScalar() ? pair.first.Scalar() : std::string("?");
    // The key's line: the value, if it is a map or a list, may begin on a later one.
    out.emplace_back(key, YamlNode(pair.second, source_, child_path(key), line_of(pair.first),
                                   piece_of(pair.first)));
  }
  return out;
}

std::vector<YamlNode> YamlNode::items() const {
  std::vector<YamlNode> out;
  if (!node_.IsSequence()) return out;
  for (std::size_t i = 0; i < node_.size(); ++i) {
    out.push_back(YamlNode(node_[i], source_, fmt::format("{}[{}]", path_, i), line_of(node_[i]),
                           piece_of(node_[i])));
  }
  return out;
}

// Nodes that stand for nothing in the file (Undefined) have no mark.
int YamlNode::line_of(const YAML::Node& node) const {
  return node.Mark().line >= 0 ? node.Mark().line + 1 : line_;
}

Result<> YamlNode::expect_map() const {
  if (!node_.IsMap()) return error("must be a map of keys");
  // YAML forbids a key that stands twice (YAML 1.2.2, 3.2.1.1), but yaml-cpp does not object.
  std::vector<std::string> seen;
  for (const auto& [key, value] : pairs()) {
    if (std::find(seen.begin(), seen.end(), key) != seen.end())
      return value.key_error("given twice");
    seen.push_back(key);
  }
  return {};
}

Result<> YamlNode::expect_keys(std::initializer_list<const char*> known) const {
  return expect_keys(std::vector<std::string>(known.begin(), known.end()));
}

Result<> YamlNode::expect_keys(const std::vector<std::string>& known) const {
  CARAVEL_TRY(expect_map());
  Errors errors;
  for (const auto& [key, value] : pairs()) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    // Unknown keys are refused rather than ignored: a misspelt limit would else not limit anything.
    const std::string nearest = nearest_word(key, known);
    errors.add(value.key_error(nearest.empty()
                                   ? fmt::format("unknown key; known: {}", fmt::join(known, ", "))
                                   : fmt::format("unknown key; did you mean '{}'?", nearest)));
  }
  return errors.result();
}

Result<std::string> YamlNode::as_string() const {
  // The text as it was written: 007 and 1e3 are not converted on the way.
  if (!node_.IsScalar()) return error("must be a single value");
  return node_.Scalar();
}

Result<bool> YamlNode::as_bool() const {
  if (node_.IsScalar()) {
    try {
      // All that YAML 1.1 calls a truth value: yes, on, True.
      return node_.as<bool>();
    } catch (const YAML::Exception&) {
      return error(fmt::format("'{}' is neither true nor false", node_.Scalar()));
    }
  }
  return error("must be true or false");
}

Result<std::uint64_t> YamlNode::as_count(std::uint64_t least, std::uint64_t most) const {
  CARAVEL_ASSIGN_OR_RETURN(auto text, as_string());
  // The scalar's text, not as<int>(): that takes 010 for eight and 0x10 for sixteen.
  std::uint64_t value = 0;
  // from_chars takes no sign, no blank and no fraction; what is left behind the digits shows in
  // `end`.
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (status != std::errc{} || end != text.data() + text.size() || value < least || value > most) {
    return error(fmt::format("'{}' is not a whole number from {} to {}", text, least, most));
  }
  return value;
}

Result<std::chrono::milliseconds> YamlNode::as_duration() const {
  CARAVEL_ASSIGN_OR_RETURN(auto text, as_string());
  auto value = parse_duration(text);
  // The parser of durations knows no file; the place is added here.
  if (!value) return error(fmt::format("bad duration: {}", value.error().message));
  return value;
}

Result<std::uint64_t> YamlNode::as_size() const {
  CARAVEL_ASSIGN_OR_RETURN(auto text, as_string());
  auto value = parse_size(text);
  if (!value) return error(fmt::format("bad size: {}", value.error().message));
  return value;
}

Result<std::string> YamlNode::as_choice(std::initializer_list<const char*> choices) const {
  CARAVEL_ASSIGN_OR_RETURN(auto text, as_string());
  const std::vector<std::string> candidates(choices.begin(), choices.end());
  if (std::find(candidates.begin(), candidates.end(), text) == candidates.end()) {
    return error(fmt::format("'{}' is not one of {}", text, fmt::join(candidates, ", ")));
  }
  return text;
}

Result<std::vector<std::string>> YamlNode::as_strings() const {
  // A single value is not taken for a list of one: `columns: a, b` would be one column.
  if (!node_.IsSequence()) return error("must be a list");
  std::vector<std::string> out;
  for (const YamlNode& item : items()) {
    CARAVEL_ASSIGN_OR_RETURN(auto text, item.as_string());
    out.push_back(std::move(text));
  }
  return out;
}

std::string YamlNode::place() const {
  return path_.empty() ? fmt::format("{}:{}", file(), line_)
                       : fmt::format("{}:{}: {}", file(), line_, path_);
}

tl::unexpected<Error> YamlNode::error_within(std::string_view what, std::size_t at,
                                             std::size_t length) const {
  const std::string_view text = source_->text;
  const std::string_view value =
      node_.IsScalar() ? std::string_view(node_.Scalar()) : std::string_view();
  if (text.empty() || at >= value.size()) return error(what);
  // Quotes, escapes and folded lines make the text of a value another one than stands in the file.
  // The piece itself mostly stands in both, and as often before the place that is meant.
  const std::string_view wanted = value.substr(at, length);
  std::size_t found = text.find(wanted, piece_of(node_).at);
  for (std::size_t earlier = value.find(wanted); earlier < at && found != std::string_view::npos;
       earlier = value.find(wanted, earlier + 1)) {
    found = text.find(wanted, found + 1);
  }
  if (found == std::string_view::npos) return error(what);
  return error_at(what, {found, wanted.size()});
}

tl::unexpected<Error> YamlNode::error_at(std::string_view what, const Piece& piece) const {
  if (source_->text.empty()) return fail(ErrorKind::usage, fmt::format("{}: {}", place(), what));
  const Quoted quoted = quote(source_->text, piece.at, piece.bytes);
  return fail(ErrorKind::usage, fmt::format("{}:{}: {}{}{}{}", file(), quoted.place, path_,
                                            path_.empty() ? "" : ": ", what, quoted.lines));
}

}  // namespace caravel
