#include "uploader/sqlite/rows/typed_value.h"

#include <array>
#include <charconv>
#include <optional>
#include <system_error>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "uploader/json_text.h"

namespace caravel::uploader {
namespace {

using formatter::ColumnType;

constexpr std::array kPowersOfTen = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                     1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};

/// Nearly all numbers, in one pass: "-123" and "-123.456" with no more digits than every double
/// keeps (DBL_DIG). Then both the digits and the power of ten are doubles without any error, and
/// the one rounding of their quotient gives what std::from_chars() would. Nothing for all that
/// needs a closer look.
std::optional<SqlValue> short_number(std::string_view field) {
  const char* at = field.data();
  const char* const end = at + field.size();
  const bool negative = *at == '-';
  if (negative) ++at;
  const auto size = static_cast<std::size_t>(end - at);
  if (size == 0 || size > kPowersOfTen.size()) return std::nullopt;
  if (*at == '0' && size > 1 && at[1] != '.') return std::nullopt;
  if (!is_digit(*at)) return std::nullopt;
  const char* behind_point = nullptr;
  std::int64_t digits = 0;
  for (; at < end; ++at) {
    if (is_digit(*at)) {
      digits = digits * 10 + (*at - '0');
    } else if (*at == '.' && behind_point == nullptr) {
      behind_point = at + 1;
    } else {
      return std::nullopt;
    }
  }
  if (behind_point == end || (negative && digits == 0)) return std::nullopt;
  if (negative) digits = -digits;
  if (behind_point == nullptr) return digits;
  return static_cast<double>(digits) / kPowersOfTen[static_cast<std::size_t>(end - behind_point)];
}

SqlValue number_or_text(std::string_view field) {
  if (const auto value = short_number(field)) return *value;
  const char* const end = field.data() + field.size();
  const bool negative = field.front() == '-';
  const std::string_view digits = field.substr(negative ? 1 : 0);
  // Nearly all texts end here.
  if (digits.empty() || !is_digit(digits.front())) return field;
  std::int64_t integer = 0;
  const auto [stop, status] = std::from_chars(field.data(), end, integer);
  if (stop == end && status == std::errc{}) {
    // As numbers, "007" would become 7 and "-0" would become 0.
    if (digits.front() == '0' && (negative || digits.size() > 1)) return field;
    return integer;
  }
  if (!number_survives(field)) return field;
  double real = 0;
  std::from_chars(field.data(), end, real);  // number_survives() has read it before
  return real;
}

/// A cell is a quoted JSON string only where its bare text would read as another JSON value
/// (formatter/records). A cell that merely begins with a quote is a bare text.
SqlValue unquoted(std::string_view field, std::string& scratch) {
  const auto value = nlohmann::json::parse(field, nullptr, false);
  if (!value.is_string()) return field;
  scratch = value.get_ref<const std::string&>();
  return std::string_view(scratch);
}

SqlValue json_value(std::string_view field, std::string& scratch) {
  if (field == "true") return std::int64_t{1};
  if (field == "false") return std::int64_t{0};
  if (field.front() == '"') return unquoted(field, scratch);
  return number_or_text(field);
}

}  // namespace

SqlValue typed_value(ColumnType type, std::string_view field, std::string& scratch) {
  switch (type) {
    case ColumnType::text:
      break;
    case ColumnType::number:
    case ColumnType::automatic:
      return number_or_text(field);
    case ColumnType::json:
      return json_value(field, scratch);
  }
  return field;
}

}  // namespace caravel::uploader
