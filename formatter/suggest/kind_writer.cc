#include "formatter/suggest/kind_writer.h"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

#include "base/text.h"

namespace caravel::formatter {
namespace {

/// Columns between the time and the message, at most.
constexpr std::size_t kMostHeaderColumns = 5;
/// So many lines of a kind are looked at to tell what its values are.
constexpr std::size_t kMostLooked = 2000;

/// Words before a value that say nothing of it: "from 10.0.0.1".
constexpr auto kSmallWords = std::to_array<std::string_view>(
    {"GET", "POST", "a",    "an",    "the",  "in",  "on",   "at", "by", "to",
     "of",  "for",  "from", "with",  "is",   "was", "and",  "or", "as", "via",
     "not", "no",   "has",  "after", "into", "be",  "than", "it"});

constexpr auto kMethods =
    std::to_array<std::string_view>({"\"GET ", "\"POST ", "\"HEAD ", "\"PUT ", "\"DELETE ",
                                     "\"OPTIONS ", "\"PATCH ", "\"CONNECT "});
constexpr auto kAgents = std::to_array<std::string_view>(
    {"\"Mozilla/", "\"curl/", "\"Wget/", "\"python-", "\"Go-http", "\"ApacheBench/", "\"kube-"});

bool is_word_of_letters(std::string_view text) {
  return text.size() > 1 && std::all_of(text.begin(), text.end(), is_letter);
}

template <std::size_t n>
bool begins_with_one_of(std::string_view text, const std::array<std::string_view, n>& heads) {
  return std::any_of(heads.begin(), heads.end(),
                     [&](std::string_view head) { return text.starts_with(head); });
}

/// The values that stand in one place of a kind's lines.
class Values {
 public:
  void add(std::string_view value) {
    if (count_++ == 0) first_ = value;
    if (distinct_.size() < kMostDistinct) distinct_.insert(value);
    whole_ = whole_ && is_whole_number(value);
    number_ = number_ && is_number(value);
    one_word_ = one_word_ && !value.empty() && value.find_first_of(" \t") == value.npos;
    address_ = address_ && type_of_word(value) == PartType::ip;
  }
  [[nodiscard]] bool constant() const { return distinct_.size() == 1; }
  [[nodiscard]] bool whole() const { return whole_; }
  [[nodiscard]] bool number() const { return number_; }
  [[nodiscard]] bool one_word() const { return one_word_; }
  [[nodiscard]] bool address() const { return address_; }
  [[nodiscard]] std::string_view first() const { return first_; }
  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] std::size_t distinct() const { return distinct_.size(); }
  template <class Test>
  [[nodiscard]] bool any(Test test) const {
    return std::any_of(distinct_.begin(), distinct_.end(), test);
  }

 private:
  std::string_view first_;
  std::size_t count_ = 0;
  std::set<std::string_view> distinct_;
  bool whole_ = true;
  bool number_ = true;
  bool one_word_ = true;
  bool address_ = true;
};

std::string escaped(std::string_view literal) {
  std::string text;
  for (const char c : literal) text += c == '{' ? "{{" : std::string(1, c);
  return text;
}

class KindWriter {
 public:
  KindWriter(const LineShape& shape, const std::vector<TokenLine>& lines)
      : shape_(shape), lines_(lines), first_(lines[shape.lines.front()]) {
    const std::size_t columns = shape.columns.size();
    std::size_t column = 0;
    while (column < columns && !has_stamp(column)) ++column;
    stamped_ = column < columns;
    if (!stamped_) return;
    // In front of a message stand values, such as the host's name, even if the sample has one only.
    const std::size_t behind = column + 1;
    if (shape.rest) header_end_ = std::min(columns, behind + kMostHeaderColumns);
    for (std::size_t i = behind; i < std::min(columns, behind + 3); ++i) {
      if (shape.columns[i].mixed || !is_program(first_.chunks[i])) continue;
      header_end_ = i + 1;
      break;
    }
  }

  KindDraft write() {
    for (std::size_t column = 0; column < shape_.columns.size(); ++column) {
      if (column > 0) kind_.line += ' ';
      write_column(column);
    }
    if (shape_.rest) {
      if (!kind_.line.empty()) kind_.line += ' ';
      kind_.line += fmt::format("{{{}:rest}}", names_.give("Message"));
      kind_.captures.push_back({"Message", "", 0, 0, false});
    }
    kind_.name = words_.empty() ? "line" : fmt::format("{}", fmt::join(words_, "-"));
    kind_.example = std::string(first_.text);
    kind_.lines = shape_.lines.size();
    return std::move(kind_);
  }

 private:
  [[nodiscard]] const Chunk& chunk(std::size_t line, std::size_t column) const {
    return lines_[shape_.lines[line]].chunks[column];
  }
  [[nodiscard]] std::size_t looked() const { return std::min(kMostLooked, shape_.lines.size()); }

  /// Evenly spread over the kind's lines.
  template <class Take>
  void for_each_line(Take take) const {
    const std::size_t step = std::max<std::size_t>(1, shape_.lines.size() / kMostLooked);
    for (std::size_t line = 0; line < shape_.lines.size(); line += step) take(line);
  }

  [[nodiscard]] bool has_stamp(std::size_t column) const {
    const auto& parts = first_.chunks[column].parts;
    return !shape_.columns[column].mixed &&
           std::any_of(parts.begin(), parts.end(),
                       [](const Part& part) { return part.type == PartType::stamp; });
  }

  /// "sshd[17]:" or "kernel:".
  static bool is_program(const Chunk& chunk) {
    return chunk.parts.size() > 1 && chunk.parts[0].type == PartType::word &&
           chunk.parts.back().text.ends_with(':') &&
           (chunk.parts[1].text == "[" || chunk.parts[1].text == ":");
  }

  void write_column(std::size_t column) {
    const std::size_t parts = first_.chunks[column].parts.size();
    bool mixed = shape_.columns[column].mixed;
    std::vector<Values> values(mixed ? 0 : parts);
    for_each_line([&](std::size_t line) {
      const Chunk& here = chunk(line, column);
      // Chunks that count as plain words may be taken apart in another way than the first.
      mixed = mixed || here.parts.size() != parts;
      for (std::size_t i = 0; !mixed && i < parts; ++i) {
        const Part& part = first_.chunks[column].parts[i];
        mixed = here.parts[i].type != part.type ||
                (part.type == PartType::literal && here.parts[i].text != part.text);
        values[i].add(here.parts[i].text);
      }
    });
    for (std::size_t i = 0; !mixed && i + 1 < parts; ++i) mixed = runs_over(column, i, values);
    if (mixed) {
      Values whole;
      for_each_line([&](std::size_t line) { whole.add(chunk(line, column).text); });
      write_word(column, 0, whole);
      return;
    }
    for (std::size_t i = 0; i < parts; ++i) write_part(column, i, values[i]);
  }

  /// A word ends at the first byte of the text behind it, so it must not hold that byte.
  [[nodiscard]] bool runs_over(std::size_t column, std::size_t i,
                               const std::vector<Values>& values) const {
    const auto& parts = first_.chunks[column].parts;
    if (parts[i].type != PartType::word || parts[i + 1].text.empty()) return false;
    const char stop = parts[i + 1].text.front();
    return parts[i + 1].type != PartType::literal ||
           values[i].any([&](std::string_view value) { return value.find(stop) != value.npos; });
  }

  void write_part(std::size_t column, std::size_t i, const Values& values) {
    const Part& part = first_.chunks[column].parts[i];
    switch (part.type) {
      case PartType::literal:
        kind_.line += escaped(part.text);
        return;
      case PartType::stamp:
        return write_stamp(part.shape, values);
      case PartType::word:
        return write_word(column, i, values);
      case PartType::level:
        return capture("Level", "word", values);
      case PartType::number:
        return capture(name_of_number(column, i, values), values.whole() ? "int" : "decimal",
                       values);
      case PartType::ip:
        return write_address(column, i, values);
      case PartType::uuid:
        return capture(label_before(column, i, "Id"), "uuid", values, true);
      case PartType::quoted:
        return capture(name_of_quoted(column, i, values), "quoted", values);
      case PartType::boxed:
        // A number in brackets near the time is that of the process.
        return capture(stamped_ && values.whole() ? "Pid" : "Field", type_of_boxed(values), values);
    }
  }

  /// The first address of a line is mostly that of the client, and worth to be the key.
  void write_address(std::size_t column, std::size_t i, const Values& values) {
    const bool first = !std::exchange(has_client_, true);
    capture(label_before(column, i, first ? "Client" : "Address"), "ip", values, first);
  }

  static const char* type_of_boxed(const Values& values) {
    if (values.whole()) return "int";
    if (values.number()) return "decimal";
    if (values.address()) return "ip";
    return values.one_word() ? "word" : "text";
  }

  void write_word(std::size_t column, std::size_t i, const Values& values) {
    const std::string_view first = values.first();
    const bool named = i > 0 && first_.chunks[column].parts[i - 1].text.find_last_of("=:") !=
                                    std::string_view::npos;
    const bool digits = first.find_first_of("0123456789") != first.npos;
    const bool is_header = column < header_end_ && first != "-";
    if (values.constant() && !named && !digits && !is_header && !is_missing(column)) {
      kind_.line += escaped(first);
      if (name_from(first).size() > 1 && words_.size() < 3) words_.push_back(yaml_name(first));
      last_word_ = first;
      last_word_column_ = column;
      return;
    }
    capture(name_of_word(column, i), "word", values, true);
  }

  /// Two dashes side by side are two values that are missing in the sample.
  [[nodiscard]] bool is_missing(std::size_t column) const {
    if (first_.chunks[column].text != "-") return false;
    bool missing = false;
    for_each_line([&](std::size_t line) {
      const auto is_dash = [&](std::size_t i) {
        return i < shape_.columns.size() && chunk(line, i).text == "-";
      };
      missing = missing || is_dash(column + 1) || (column > 0 && is_dash(column - 1));
    });
    return missing;
  }

  static std::string yaml_name(std::string_view word) {
    std::string name = name_from(word);
    for (char& c : name) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
    return name;
  }

  /// `user=` right before the value, `port` as the word before it, else `otherwise`.
  std::string label_before(std::size_t column, std::size_t i, const std::string& otherwise) const {
    const auto& parts = first_.chunks[column].parts;
    if (i > 0 && i <= parts.size() && parts[i - 1].type == PartType::literal) {
      std::string_view label = parts[i - 1].text;
      // "Lat/Lon:" before "36.77/-76.09": each half has its name.
      const bool second = label == "/" && i > 2;
      if (second) label = parts[i - 3].text;
      const std::size_t slash = label.find('/');
      const bool pair = second || (i + 1 < parts.size() && parts[i + 1].text == "/");
      if (pair && slash != label.npos) {
        label = second ? label.substr(slash + 1) : label.substr(0, slash);
      }
      const std::string name = name_from(label);
      if (!name.empty()) return name;
    }
    if (column > 0 && last_word_column_ + 1 == column && is_word_of_letters(last_word_)) {
      const bool small =
          std::find(kSmallWords.begin(), kSmallWords.end(), last_word_) != kSmallWords.end();
      std::string name = name_from(last_word_);
      if (!small && !name.empty()) {
        if (name[0] >= 'a') name[0] = static_cast<char>(name[0] - ('a' - 'A'));
        return name;
      }
    }
    return otherwise;
  }

  [[nodiscard]] std::string name_of_word(std::size_t column, std::size_t i) const {
    const auto literal_behind = [&](std::size_t place, std::size_t part) {
      if (place >= shape_.columns.size() || shape_.columns[place].mixed) return std::string_view();
      const auto& parts = first_.chunks[place].parts;
      return part + 1 < parts.size() && parts[part].type == PartType::word ? parts[part + 1].text
                                                                           : std::string_view();
    };
    const std::string_view behind = literal_behind(column, i);
    const auto ends_program = [](std::string_view text) {
      return text == "[" || text.starts_with(':');
    };
    if (column < header_end_ && ends_program(behind)) return "Program";
    if (column + 1 < header_end_ && ends_program(literal_behind(column + 1, 0))) return "Host";
    // The user's place in an access log: between the client and the time.
    const bool before_time = column > 1 && column + 1 < shape_.columns.size() &&
                             first_.chunks[column + 1].text.starts_with("[") &&
                             first_.chunks[0].parts[0].type == PartType::ip;
    if (before_time) return "User";
    if (column == 1 && is_missing(column)) return "Ident";
    return label_before(column, i, "Word");
  }

  [[nodiscard]] std::string name_of_number(std::size_t column, std::size_t i,
                                           const Values& values) const {
    const auto& parts = first_.chunks[column].parts;
    if (i > 1 && parts[i - 1].text == "[" && parts[i - 2].type == PartType::word) return "Pid";
    if (i > 1 && parts[i - 1].text == ":" && parts[i - 2].type == PartType::ip) return "Port";
    const bool like_status = !values.any([](std::string_view value) {
      return value.size() != 3 || value[0] < '0' || value[0] > '5';
    });
    if (request_column_ + 1 == column && like_status) return "Status";
    if (request_column_ + 2 == column) return "Bytes";
    const bool unit =
        i + 1 < parts.size() &&
        (parts[i + 1].text == "ms" || parts[i + 1].text == "s" || parts[i + 1].text == "us");
    return label_before(column, i, unit ? "Duration" : "Number");
  }

  std::string name_of_quoted(std::size_t column, std::size_t i, const Values& values) {
    const auto any_begins = [&](const auto& heads) {
      return values.any([&](std::string_view value) { return begins_with_one_of(value, heads); });
    };
    if (any_begins(kMethods)) {
      request_column_ = column;
      return label_before(column, i, "Request");
    }
    if (any_begins(kAgents)) return label_before(column, i, "Agent");
    // The referer's place in the combined log, whatever it holds.
    if (request_column_ + 3 == column) return label_before(column, i, "Referer");
    if (request_column_ + 4 == column) return label_before(column, i, "Agent");
    return label_before(column, i, "Text");
  }

  /// The first stamp that makes a time is the row's; its names are those of the table.
  void write_stamp(std::size_t shape, const Values& values) {
    std::string_view pattern = kStampShapes[shape].pattern;
    if (kind_.time.empty()) kind_.time = kStampShapes[shape].time;
    while (!pattern.empty()) {
      if (pattern.front() != '{') {
        kind_.line.push_back(pattern.front());
        pattern.remove_prefix(1);
        continue;
      }
      const std::size_t colon = pattern.find(':');
      const std::size_t close = pattern.find('}');
      const std::string name = names_.give(std::string(pattern.substr(1, colon - 1)));
      kind_.line += fmt::format("{{{}:{}}}", name, pattern.substr(colon + 1, close - colon - 1));
      kind_.captures.push_back({name, "", values.distinct(), values.count(), false});
      pattern.remove_prefix(close + 1);
    }
  }

  void capture(const std::string& wanted, const char* type, const Values& values,
               bool may_be_key = false) {
    const std::string name = names_.give(wanted);
    kind_.line += fmt::format("{{{}:{}}}", name, type);
    kind_.captures.push_back({name, "", values.distinct(), values.count(), may_be_key});
  }

  static constexpr std::size_t kNowhere = ~std::size_t{0} - 8;

  const LineShape& shape_;
  const std::vector<TokenLine>& lines_;
  const TokenLine& first_;
  KindDraft kind_;
  UniqueNames names_;
  std::vector<std::string> words_;  // for the kind's name
  std::string_view last_word_;      // the last fixed word
  std::size_t last_word_column_ = kNowhere;
  std::size_t request_column_ = kNowhere;
  bool stamped_ = false;
  std::size_t header_end_ = 0;  // the column of the message
  bool has_client_ = false;
};

}  // namespace

KindDraft write_kind(const LineShape& shape, const std::vector<TokenLine>& lines) {
  return KindWriter(shape, lines).write();
}

}  // namespace caravel::formatter
