#include "uploader/postgresql/wire/copy_rows.h"

#include <fmt/format.h>

#include "base/text.h"
#include "uploader/json_text.h"
#include "uploader/postgresql/wire/integers.h"
#include "uploader/postgresql/wire/numeric.h"

namespace caravel::uploader {
namespace {

using formatter::ColumnType;

constexpr std::uint32_t kNull = 0xffffffff;
constexpr std::uint16_t kEndOfRows = 0xffff;
// _id, _kind, _time, _extract, _line, _sum
constexpr std::size_t kOwnFields = 6;

/// Microseconds since 2000-01-01 00:00:00 (src/include/datatype/timestamp.h). The second 60 is the
/// next minute's first, as PostgreSQL itself reads it; digits behind the sixth are cut off.
std::int64_t microseconds_of(const RowTime& time) {
  using date::days;
  constexpr date::sys_days kEpoch{date::year{2000} / 1 / 1};
  constexpr std::size_t kDigits = 6;
  std::int64_t seconds = std::int64_t{(time.day - kEpoch).count()} * 86'400 +
                         std::int64_t{time.hour} * 3600 + std::int64_t{time.minute} * 60 +
                         time.second;
  std::int64_t fraction = 0;
  for (std::size_t i = 1; i <= kDigits; ++i) {
    fraction = fraction * 10 + (i < time.fraction.size() ? time.fraction[i] - '0' : 0);
  }
  return seconds * 1'000'000 + fraction;
}

/// Whether a JSON text names the character U+0000, which a `jsonb` cannot hold.
bool names_nul(std::string_view json) {
  for (std::size_t at = json.find("\\u0000"); at != std::string_view::npos;
       at = json.find("\\u0000", at + 1)) {
    std::size_t slashes = 0;
    while (slashes < at && json[at - 1 - slashes] == '\\') ++slashes;
    if (slashes % 2 == 0) return true;
  }
  return false;
}

/// The field as a JSON value: decided value by value.
void append_json_of(ColumnType type, std::string_view field, std::string& out) {
  const bool like_number = field.front() == '-' || is_digit(field.front());
  const bool as_it_is = like_number ? type != ColumnType::text && is_exact_json_number(field)
                                    : type == ColumnType::json && is_json(field);
  if (as_it_is) {
    out.append(field);
  } else {
    append_json_string(field, out);
  }
}

}  // namespace

std::string_view staging_type(Encoding encoding) {
  switch (encoding) {
    case Encoding::numeric:
      return "numeric";
    case Encoding::jsonb:
      return "jsonb";
    case Encoding::timestamp:
      return "timestamp";
    case Encoding::text:
    case Encoding::json:
      break;
  }
  return "text";
}

void CopyStream::begin(Target target) {
  target_ = target;
  constexpr std::string_view kSignature("PGCOPY\n\xff\r\n\0", 11);
  bytes_.assign(kSignature);
  append_int32(0, bytes_);
  append_int32(0, bytes_);
}

void CopyStream::finish() { append_int16(kEndOfRows, bytes_); }

void CopyStream::put_null() { append_int32(kNull, bytes_); }

void CopyStream::put_text(std::string_view text) {
  append_int32(static_cast<std::uint32_t>(text.size()), bytes_);
  bytes_.append(text);
}

void CopyStream::put_time(const RowTime* time, std::string_view text, Encoding encoding) {
  if (time == nullptr) return put_null();
  if (encoding != Encoding::timestamp) return put_text(text);
  append_int32(sizeof(std::int64_t), bytes_);
  append_int64(microseconds_of(*time), bytes_);
}

std::optional<std::string> CopyStream::append(const TableRow& row, std::uint32_t index) {
  const std::size_t before = bytes_.size();
  const bool numbered = target_ == Target::staging;
  const std::size_t own = kOwnFields + (shape_.utc ? 1 : 0) + (numbered ? 1 : 0);
  append_int16(static_cast<std::uint16_t>(own + shape_.columns.size()), bytes_);
  if (numbered) {
    append_int32(sizeof index, bytes_);
    append_int32(index, bytes_);
  }
  put_text(row.id());
  put_text(row.kind());
  // A time without a zone is no instant: nobody knows which one it would be.
  const bool local = row.time() != nullptr && !row.time()->utc && shape_.time_is_instant;
  if (local) {
    put_time(row.utc(), row.utc_text(), shape_.time);
  } else {
    put_time(row.time(), row.time_text(), shape_.time);
  }
  if (shape_.utc) put_time(row.utc(), row.utc_text(), shape_.utc_time);
  put_text(extract_);
  append_int32(sizeof(std::int64_t), bytes_);
  append_int64(static_cast<std::int64_t>(row.line()), bytes_);
  put_text(row.sum());
  for (std::size_t i = 0; i < shape_.columns.size(); ++i) {
    if (auto reason = put_field(shape_.columns[i], row.fields()[i])) {
      bytes_.resize(before);
      return reason;
    }
  }
  return std::nullopt;
}

std::optional<std::string> CopyStream::put_field(const SentColumn& column, std::string_view field) {
  constexpr std::size_t kShown = 60;
  // CSV cannot tell an empty value from a missing one: both are NULL.
  if (field.empty()) {
    put_null();
    return std::nullopt;
  }
  if (field.find('\0') != std::string_view::npos) {
    return fmt::format("{} holds a NUL, which no text of PostgreSQL can hold", column.name);
  }
  if (column.encoding == Encoding::text) {
    put_text(field);
    return std::nullopt;
  }
  if (column.encoding == Encoding::numeric) {
    const std::size_t length_at = bytes_.size();
    append_int32(0, bytes_);
    if (!append_numeric(field, bytes_)) {
      return fmt::format("{}: '{}' is no number, and the table's column is numeric", column.name,
                         shown(field, kShown));
    }
    std::string length;
    append_int32(static_cast<std::uint32_t>(bytes_.size() - length_at - sizeof(std::uint32_t)),
                 length);
    bytes_.replace(length_at, length.size(), length);
    return std::nullopt;
  }
  json_.clear();
  if (column.encoding == Encoding::jsonb) json_.push_back('\1');  // the version of its form
  append_json_of(column.type, field, json_);
  if (names_nul(json_)) {
    return fmt::format("{} holds a NUL (\\u0000), which no jsonb can hold", column.name);
  }
  put_text(json_);
  return std::nullopt;
}

}  // namespace caravel::uploader
