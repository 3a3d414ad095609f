// Any text as a layout of times, and as the text that is read with it.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>

#include "formatter/patterns/op.h"
#include "formatter/rows/row_time.h"
#include "formatter/times/iso8601.h"
#include "formatter/times/layout.h"
#include "tests/fuzz/fuzz.h"

namespace caravel::formatter {
namespace {

using fuzz::Require;

/// What was read holds only what a time can hold, and an id can be made of it.
void RequireTime(TimeParts parts, bool has_date) {
  Require(parts.month <= 12 && parts.day <= 31 && parts.day_of_year <= 366, "a date's limits");
  Require(parts.hour <= 23 && parts.minute <= 59 && parts.second <= 60, "a clock's limits");
  Require(parts.year >= -1 && parts.year <= 9999, "a year's limits");
  Require(parts.offset > -86400 && parts.offset < 86400, "an offset's limits");
  Require(parts.fraction.find_first_not_of("0123456789") == std::string_view::npos, "digits");
  if (!parts.has_year) parts.year = 2012;
  if (!parts.counted && (!has_date || !settle_date(parts))) return;
  std::string id;
  if (!append_parts(parts, nullptr, id)) {
    Require(!skipped_reason(parts, nullptr).empty(), "a time that was skipped says so");
    return;
  }
  Require(id.find('T') != std::string::npos &&
              id.find_first_not_of("-0123456789TZ.") == std::string::npos,
          "an id needs no escapes");
  std::string text;
  append_iso_text(parts, text);
  Require(text.size() >= 19, "a date and a clock");
}

/// A text in exactly the memory that may be read.
class Held {
 public:
  explicit Held(std::string_view text)
      : size_(text.size()), bytes_(std::make_unique<char[]>(size_ + 1 + kReadableBehind)) {
    std::copy(text.begin(), text.end(), bytes_.get());
    bytes_[size_] = '\n';
  }
  [[nodiscard]] const char* begin() const { return bytes_.get(); }
  [[nodiscard]] const char* end() const { return bytes_.get() + size_; }

 private:
  std::size_t size_;
  std::unique_ptr<char[]> bytes_;
};

void Parse(const TimeLayout& layout, const Held& held) {
  TimeParts parts;
  TimeLayout::Failure failure{0, held.begin()};
  const char* const end = layout.parse(held.begin(), parts, &failure);
  if (end == nullptr) {
    Require(failure.at >= held.begin() && failure.at <= held.end(), "a failure lies in the text");
    Require(!layout.wanted(failure.step).empty(), "something was wanted");
    return;
  }
  Require(end >= held.begin() && end <= held.end(), "a time lies in the text");
  RequireTime(parts, layout.has_date());
}

/// The first byte says the use and how blanks count; the layout ends at the first line end.
void CompileAndParse(std::string_view bytes) {
  if (bytes.empty()) return;
  const auto use = static_cast<LayoutUse>(static_cast<unsigned char>(bytes[0]) % 5);
  const bool any_blanks = (bytes[0] & 8) != 0;
  bytes.remove_prefix(1);
  const std::string_view text = bytes.substr(0, bytes.find('\n'));
  const std::string_view rest =
      text.size() < bytes.size() ? bytes.substr(text.size() + 1) : std::string_view();
  const Held held(rest.substr(0, rest.find('\n')));

  TimeParts parts;
  if (const char* const end = parse_iso_time(held.begin(), '\n', any_blanks, parts)) {
    Require(end > held.begin() && end <= held.end(), "an ISO 8601 time lies in the text");
    RequireTime(parts, true);
  }
  for (int unit = 0; unit < 4; ++unit) Parse(TimeLayout::epoch(static_cast<EpochUnit>(unit)), held);

  const ZoneRules zones{{{"EST", -18000}}, nullptr};
  const auto layout = TimeLayout::compile(text, use, any_blanks, zones);
  if (!layout) {
    Require(!layout.error().message.empty(), "an error says something");
    return;
  }
  Require(*layout == *TimeLayout::compile(text, use, any_blanks, zones), "a layout is like itself");
  Parse(*layout, held);
}

}  // namespace
}  // namespace caravel::formatter

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  caravel::formatter::CompileAndParse({reinterpret_cast<const char*>(data), size});
  return 0;
}
