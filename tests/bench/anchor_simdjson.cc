// Parses each line of a file as JSON with simdjson, and visits no value: what reading JSON lines
// costs before anything is made of them.
//
//   anchor_simdjson FILE        prints how many lines are objects
#include <cstdio>
#include <string_view>

#include <simdjson.h>

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  simdjson::padded_string text;
  if (simdjson::padded_string::load(argv[1]).get(text) != simdjson::SUCCESS) return 1;
  simdjson::dom::parser parser;
  unsigned long objects = 0;
  std::size_t at = 0;
  const std::string_view all(text.data(), text.size());
  while (at < all.size()) {
    std::size_t end = all.find('\n', at);
    if (end == std::string_view::npos) end = all.size();
    // What lies behind a line is the next one, and behind the last line the padding: no copy is
    // needed.
    simdjson::dom::element value;
    if (parser.parse(all.data() + at, end - at, false).get(value) == simdjson::SUCCESS) {
      objects += value.is_object() ? 1 : 0;
    }
    at = end + 1;
  }
  std::printf("%lu\n", objects);
}
