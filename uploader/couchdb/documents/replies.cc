#include "uploader/couchdb/documents/replies.h"

#include "base/text.h"
#include "uploader/json_text.h"

namespace caravel::uploader {

using nlohmann::json;

namespace {

// In bytes. A validation function may write pages; a message needs a line.
constexpr std::size_t kLongestReason = 300;

}  // namespace

std::string shortened(std::string_view text) {
  std::string line(text.substr(0, kLongestReason));
  // Not in the middle of a character, which has four bytes at most.
  for (int i = 0; i < 3 && line.size() < text.size() && !is_utf8(line); ++i) line.pop_back();
  line = printable(line);
  if (text.size() > kLongestReason) line.append("…");
  return line;
}

std::string string_at(const json& object, const char* key) {
  if (!object.is_object()) return {};
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::optional<json> parse_reply(std::string_view text) {
  json value = json::parse(text, nullptr, false);
  if (value.is_discarded()) return {};
  return value;
}

tl::unexpected<Error> not_understood(std::string_view what) {
  return fail(ErrorKind::retry, fmt::format("the reply cannot be understood: {}", what));
}

}  // namespace caravel::uploader
