// A line taken apart into chunks (what stands between blanks) and a chunk into parts: fixed text
// and values of a type.
//
//     [10/Oct/2000:13:55:36 -0700] user=ann 12ms "GET / HTTP/1.1"
//     '[' stamp ']'                'user=' word   number 'ms'   quoted
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "formatter/suggest/shapes/stamps.h"

namespace caravel::formatter {

enum class PartType : std::uint8_t {
  literal,  // punctuation, the name before a '=', a unit
  word,
  level,   // INFO, warn: how bad it is
  number,  // with or without a point
  ip,
  uuid,
  quoted,  // with its quotes
  boxed,   // what stands in brackets, without them; may hold blanks
  stamp,
};

struct Part {
  PartType type = PartType::literal;
  std::size_t shape = 0;  // of a stamp
  std::string_view text;
};

struct Chunk {
  std::string_view text;
  std::vector<Part> parts;
};

struct TokenLine {
  std::string_view text;
  std::vector<Chunk> chunks;
  bool single_blanks = true;  // between chunks, and inside of stamps, stands one blank each
  bool all = true;            // false: the line has more chunks than are looked at
};

/// So many chunks of a line are looked at: a pattern has room for 64 captures.
constexpr std::size_t kMostChunks = 40;

/// Takes lines apart. `stamps` must outlive it.
class Tokenizer {
 public:
  explicit Tokenizer(StampFinder& stamps) : stamps_(stamps) {}

  [[nodiscard]] TokenLine take(std::string_view line);

 private:
  /// The parts at the front of `line_` from `at_`, up to a blank or the line's end.
  void take_chunk(Chunk& chunk);
  /// Takes a value that may hold blanks; false if none stands here.
  bool take_quoted(Chunk& chunk);
  bool take_boxed(Chunk& chunk);
  bool take_stamp(Chunk& chunk);
  /// What goes up to a blank.
  void take_word(Chunk& chunk);
  void add_literal(Chunk& chunk, std::size_t length);

  StampFinder& stamps_;
  std::string_view line_;
  std::size_t at_ = 0;
};

/// The type of a text without blanks: number, ip, uuid, level or word.
[[nodiscard]] PartType type_of_word(std::string_view text);
[[nodiscard]] bool is_whole_number(std::string_view text);
[[nodiscard]] bool is_number(std::string_view text);

}  // namespace caravel::formatter
