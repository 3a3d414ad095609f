#include "watcher/ledger/salvage/records.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace caravel::watcher {
namespace {

// Kinds of pages that hold records (fileformat2.html, 1.6): in an index, the inner ones do as well.
constexpr unsigned kTableLeaf = 0x0d;
constexpr unsigned kIndexLeaf = 0x0a;
constexpr unsigned kIndexInner = 0x02;
constexpr unsigned kTableInner = 0x05;

/// Far more than any row of a ledger has: a damaged length must not take the memory.
constexpr std::uint64_t kMostPayload = std::uint64_t{1} << 20;
constexpr std::size_t kMostColumns = 200;
constexpr std::size_t kFileHeader = 100;

/// Reads from left to right, and never behind the end.
class ByteReader {
 public:
  ByteReader(const std::string& bytes, std::size_t at, std::size_t end)
      : bytes_(bytes), at_(at), end_(std::min(end, bytes.size())) {}

  [[nodiscard]] std::size_t at() const { return at_; }
  [[nodiscard]] std::size_t left() const { return at_ < end_ ? end_ - at_ : 0; }

  /// SQLite's integers of one to nine bytes.
  std::optional<std::uint64_t> varint() {
    std::uint64_t value = 0;
    for (int i = 0; i < 9; ++i) {
      if (left() == 0) return std::nullopt;
      const auto byte = static_cast<unsigned char>(bytes_[at_++]);
      if (i == 8) return value << 8U | byte;
      value = value << 7U | (byte & 0x7fU);
      if ((byte & 0x80U) == 0) return value;
    }
    return std::nullopt;
  }
  /// A signed integer of `size` bytes.
  std::optional<std::int64_t> integer(std::size_t size) {
    if (left() < size) return std::nullopt;
    std::uint64_t value = big_endian(bytes_, at_, size);
    const bool negative = size < 8 && (value >> (size * 8 - 1) & 1U) != 0;
    if (negative) value |= ~std::uint64_t{0} << (size * 8);
    at_ += size;
    return static_cast<std::int64_t>(value);
  }
  std::optional<std::string> text(std::size_t size) {
    if (left() < size) return std::nullopt;
    at_ += size;
    return bytes_.substr(at_ - size, size);
  }

 private:
  const std::string& bytes_;
  std::size_t at_;
  std::size_t end_;
};

/// How many bytes of a payload stand on the page itself (fileformat2.html, 1.6).
std::uint64_t local_size(std::uint64_t payload, std::uint64_t usable, bool table) {
  const std::uint64_t most = table ? usable - 35 : (usable - 12) * 64 / 255 - 23;
  if (payload <= most) return payload;
  const std::uint64_t least = (usable - 12) * 32 / 255 - 23;
  const std::uint64_t wanted = least + (payload - least) % (usable - 4);
  return wanted <= most ? wanted : least;
}

/// The rest of a payload, from a chain of pages of its own.
bool append_overflow(const DatabasePages& pages, std::uint32_t page, std::uint64_t size,
                     std::string& payload) {
  // The bound on the payload bounds the chain, be it a circle.
  while (payload.size() < size) {
    const std::string bytes = pages.read(page);
    if (bytes.empty()) return false;
    payload.append(bytes, 4, std::min<std::size_t>(pages.usable() - 4, size - payload.size()));
    page = static_cast<std::uint32_t>(big_endian(bytes, 0, 4));
  }
  return true;
}

/// One column by its serial type (fileformat2.html, 2.1).
std::optional<RecordValue> read_value(std::uint64_t type, ByteReader& body) {
  RecordValue value;
  if (type == 0) return value;
  if (type <= 6) {
    constexpr std::size_t kSizes[] = {0, 1, 2, 3, 4, 6, 8};
    const auto integer = body.integer(kSizes[type]);
    if (!integer) return std::nullopt;
    value.type = RecordValue::Type::integer;
    value.integer = *integer;
  } else if (type == 8 || type == 9) {
    value.type = RecordValue::Type::integer;
    value.integer = type == 9 ? 1 : 0;
  } else if (type == 10 || type == 11) {
    return std::nullopt;  // never in a file
  } else {
    auto text = body.text(type == 7 ? 8 : static_cast<std::size_t>((type - 12) / 2));
    if (!text) return std::nullopt;
    const bool is_text = type != 7 && type % 2 == 1;
    value.type = is_text ? RecordValue::Type::text : RecordValue::Type::other;
    value.text = std::move(*text);
  }
  return value;
}

std::optional<std::vector<RecordValue>> read_record(const std::string& payload) {
  ByteReader head(payload, 0, payload.size());
  const auto head_size = head.varint();
  if (!head_size || *head_size > payload.size()) return std::nullopt;
  ByteReader types(payload, head.at(), static_cast<std::size_t>(*head_size));
  ByteReader body(payload, static_cast<std::size_t>(*head_size), payload.size());
  std::vector<RecordValue> values;
  while (types.left() > 0) {
    const auto type = types.varint();
    if (!type || values.size() == kMostColumns) return std::nullopt;
    auto value = read_value(*type, body);
    if (!value) return std::nullopt;
    values.push_back(std::move(*value));
  }
  return values;
}

/// The record of the cell that begins at `at`.
std::optional<DatabaseRecord> read_cell(const DatabasePages& pages, const std::string& page,
                                        std::size_t at, unsigned kind) {
  ByteReader cell(page, at + (kind == kIndexInner ? 4 : 0), pages.usable());
  DatabaseRecord record;
  const auto size = cell.varint();
  if (!size || *size > kMostPayload) return std::nullopt;
  if (kind == kTableLeaf) {
    const auto row = cell.varint();
    if (!row) return std::nullopt;
    record.row = static_cast<std::int64_t>(*row);
  }
  const std::uint64_t local = local_size(*size, pages.usable(), kind == kTableLeaf);
  auto payload = cell.text(static_cast<std::size_t>(local));
  if (!payload) return std::nullopt;
  if (local < *size) {
    const auto next = cell.text(4);
    if (!next || !append_overflow(pages, static_cast<std::uint32_t>(big_endian(*next, 0, 4)), *size,
                                  *payload)) {
      return std::nullopt;
    }
  }
  auto values = read_record(*payload);
  if (!values) return std::nullopt;
  record.values = std::move(*values);
  return record;
}

}  // namespace

bool each_record(const DatabasePages& pages, std::uint32_t number,
                 const std::function<void(const DatabaseRecord&)>& visit) {
  const std::string page = pages.read(number);
  if (page.empty()) return false;
  const std::size_t start = number == 1 ? kFileHeader : 0;
  const auto kind = static_cast<unsigned>(big_endian(page, start, 1));
  if (kind == kTableInner) return true;
  if (kind != kTableLeaf && kind != kIndexLeaf && kind != kIndexInner) {
    // A page of an overflow chain or of the freelist begins with the number of the next one, which
    // is 0 in its first byte unless the file has more than 2^24 pages.
    return kind == 0 && std::ranges::any_of(page, [](char c) { return c != '\0'; });
  }
  const std::size_t cells = static_cast<std::size_t>(big_endian(page, start + 3, 2));
  const std::size_t first = start + (kind == kIndexInner ? 12 : 8);
  bool whole = first + 2 * cells <= pages.usable();
  for (std::size_t i = 0; i < cells && first + 2 * i + 2 <= pages.usable(); ++i) {
    const auto at = static_cast<std::size_t>(big_endian(page, first + 2 * i, 2));
    const auto record = read_cell(pages, page, at, kind);
    if (record) visit(*record);
    whole = whole && record;
  }
  return whole;
}

}  // namespace caravel::watcher
