// YAML reading in which every error names file, line and key.
#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <yaml-cpp/yaml.h>

#include "base/error.h"
#include "base/units.h"

namespace caravel {

/// A place in a YAML file: a node, the file it came from and the keys that lead to it. Every
/// accessor returns an Error of kind usage, "FILE:LINE: key.path: what is wrong".
/// Exceptions of yaml-cpp stop here.
class YamlNode {
 public:
  /// Whether errors quote the file. Then they also name the column, and two more lines of the
  /// message show the piece that is wrong with a caret below it:
  ///
  ///     doors.yaml:8:17: kinds[0].line: unknown type 'intt'; did you mean 'int'?
  ///       8 |     line: 'door {Door:intt} closed'
  ///         |                 ^^^^^^^^^^^
  ///
  /// Never of a file that may hold a password.
  enum class Quote { no, yes };

  /// Parses the file at `path`.
  static Result<YamlNode> load(const std::string& path, Quote quote = Quote::no);
  /// Parses `text`; `file` is the name that errors carry.
  static Result<YamlNode> parse(const std::string& text, const std::string& file,
                                Quote quote = Quote::no);

  [[nodiscard]] bool exists() const { return node_.IsDefined() && !node_.IsNull(); }
  [[nodiscard]] bool is_map() const { return node_.IsMap(); }
  [[nodiscard]] bool is_list() const { return node_.IsSequence(); }
  [[nodiscard]] bool is_scalar() const { return node_.IsScalar(); }

  /// The value under `key` of a map; one that does not exist() if there is none.
  [[nodiscard]] YamlNode operator[](const std::string& key) const;
  /// The pairs of a map, in the file's order; empty for anything else.
  [[nodiscard]] std::vector<std::pair<std::string, YamlNode>> pairs() const;
  /// The items of a list; empty for anything else.
  [[nodiscard]] std::vector<YamlNode> items() const;

  /// This is a map, and no key is given twice.
  [[nodiscard]] Result<> expect_map() const;
  /// The same, with no other key than `known`; of each unknown one the nearest known is suggested,
  /// or, if none is near, all are listed.
  [[nodiscard]] Result<> expect_keys(std::initializer_list<const char*> known) const;
  [[nodiscard]] Result<> expect_keys(const std::vector<std::string>& known) const;

  [[nodiscard]] Result<std::string> as_string() const;
  [[nodiscard]] Result<bool> as_bool() const;
  [[nodiscard]] Result<std::uint64_t> as_count(std::uint64_t least, std::uint64_t most) const;
  [[nodiscard]] Result<std::chrono::milliseconds> as_duration() const;
  [[nodiscard]] Result<std::uint64_t> as_size() const;
  /// One of `choices`.
  [[nodiscard]] Result<std::string> as_choice(std::initializer_list<const char*> choices) const;
  [[nodiscard]] Result<std::vector<std::string>> as_strings() const;

  /// Gives a single value another text, for all nodes that stand for the same piece of the file:
  /// copies of this one, and those of its parents.
  void set_text(const std::string& text) { node_ = text; }
  /// Makes it a value that does not exist().
  void set_null() { node_ = YAML::Node(YAML::NodeType::Null); }
  /// Whether both stand for the same piece of the file: an alias and what it repeats do.
  [[nodiscard]] bool is_same_as(const YamlNode& other) const { return node_.is(other.node_); }

  /// "FILE:LINE: key.path".
  [[nodiscard]] std::string place() const;
  /// An error at this place. Of what it quotes, the value is meant.
  [[nodiscard]] tl::unexpected<Error> error(std::string_view what) const {
    return error_at(what, value_piece());
  }
  /// The same; the key is meant.
  [[nodiscard]] tl::unexpected<Error> key_error(std::string_view what) const {
    return error_at(what, key_);
  }
  /// The same; of a single value, the `length` bytes from `at` on are meant.
  [[nodiscard]] tl::unexpected<Error> error_within(std::string_view what, std::size_t at,
                                                   std::size_t length) const;
  [[nodiscard]] const std::string& file() const { return source_->file; }
  /// Of the key, if the node has one; else of the node. From 1. For a node that does not exist, the
  /// line of the map that lacks it.
  [[nodiscard]] int line() const { return line_; }

 private:
  /// A piece of the file: its first byte, and how many there are.
  struct Piece {
    std::size_t at = 0;
    std::size_t bytes = 0;
  };
  /// What every node of one file has in common. Shared, because a node may outlive the root.
  struct Source {
    std::string file;
    std::string text;  // "" if errors do not quote it
  };

  YamlNode(const YAML::Node& node, std::shared_ptr<const Source> source, std::string path, int line,
           Piece key)
      : node_(node), source_(std::move(source)), path_(std::move(path)), line_(line), key_(key) {}
  [[nodiscard]] std::string child_path(std::string_view key) const;
  /// The line where `node` begins; ours if it does not know.
  [[nodiscard]] int line_of(const YAML::Node& node) const;
  /// Where `node`, a single value or a key, stands in the file.
  [[nodiscard]] static Piece piece_of(const YAML::Node& node);
  /// The value if it begins in the key's line, else the key.
  [[nodiscard]] Piece value_piece() const;
  [[nodiscard]] tl::unexpected<Error> error_at(std::string_view what, const Piece& piece) const;

  YAML::Node node_;
  std::shared_ptr<const Source> source_;
  std::string path_;
  int line_ = 1;
  Piece key_;  // of an item of a list, the item
};

}  // namespace caravel
