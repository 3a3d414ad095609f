#include "watcher/tail/packed/gzip_stream.h"

#include <unistd.h>

#include <cerrno>
#include <new>
#include <utility>

namespace caravel::tail {
namespace {

namespace zlib = boost::beast::zlib;

/// CRC-32 of RFC 1952, 8, a byte at a time.
constexpr std::array<std::uint32_t, 256> make_crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < table.size(); ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) {
      value = (value & 1U) != 0 ? 0xedb88320U ^ (value >> 1U) : value >> 1U;
    }
    table[i] = value;
  }
  return table;
}
constexpr std::array<std::uint32_t, 256> kCrcTable = make_crc_table();

std::uint32_t crc_of(std::uint32_t crc, const char* bytes, std::size_t size) {
  crc = ~crc;
  for (std::size_t i = 0; i < size; ++i) {
    crc = kCrcTable[(crc ^ static_cast<unsigned char>(bytes[i])) & 0xffU] ^ (crc >> 8U);
  }
  return ~crc;
}

constexpr const char* kCutOff = "it ends in the middle";

}  // namespace

void GzipStream::end_with(const char* damage) {
  damage_ = damage;
  part_ = Part::end;
}

Result<bool> GzipStream::fill() {
  if (begin_ < end_) return true;
  ssize_t got = 0;
  do {
    got = ::pread(packed_, input_.data(), input_.size(), static_cast<off_t>(offset_));
  } while (got < 0 && errno == EINTR);
  if (got < 0) return fail_with_errno("read", errno);
  offset_ += static_cast<std::uint64_t>(got);
  begin_ = 0;
  end_ = static_cast<std::size_t>(got);
  return got > 0;
}

Result<std::optional<unsigned char>> GzipStream::next() {
  CARAVEL_ASSIGN_OR_RETURN(const bool any, fill());
  if (!any) return std::nullopt;
  return input_[begin_++];
}

Result<std::optional<std::uint32_t>> GzipStream::number(unsigned count) {
  std::uint32_t value = 0;
  for (unsigned i = 0; i < count; ++i) {
    CARAVEL_ASSIGN_OR_RETURN(const auto byte, next());
    if (!byte) return std::nullopt;
    value |= std::uint32_t{*byte} << (8 * i);
  }
  return value;
}

Result<bool> GzipStream::skip(std::uint32_t count) {
  for (; count > 0; --count) {
    CARAVEL_ASSIGN_OR_RETURN(const auto byte, next());
    if (!byte) return false;
  }
  return true;
}

Result<bool> GzipStream::skip_text() {
  for (;;) {
    CARAVEL_ASSIGN_OR_RETURN(const auto byte, next());
    if (!byte) return false;
    if (*byte == 0) return true;
  }
}

/// RFC 1952, 2.3: ID1 ID2 CM FLG MTIME XFL OS, then what FLG says.
Result<> GzipStream::read_header() {
  constexpr std::uint32_t kMagic = 0x8b1f;
  constexpr unsigned kDeflate = 8, kReserved = 0xe0;
  const bool first = std::exchange(first_, false);
  CARAVEL_ASSIGN_OR_RETURN(const auto magic, number(2));
  if (!magic || *magic != kMagic) {
    part_ = Part::end;
    if (first) end_with(magic ? "it is no gzip file" : kCutOff);
    return {};
  }
  CARAVEL_ASSIGN_OR_RETURN(const auto method, next());
  CARAVEL_ASSIGN_OR_RETURN(const auto flags, next());
  constexpr std::uint32_t kTimeLevelSystem = 6;
  CARAVEL_ASSIGN_OR_RETURN(bool whole, skip(kTimeLevelSystem));
  if (method && flags && (*method != kDeflate || (*flags & kReserved) != 0)) {
    end_with("it is packed in a way that is not known");
    return {};
  }
  if (whole) {
    CARAVEL_ASSIGN_OR_RETURN(whole, skip_fields(*flags));
  }
  if (!whole) {
    end_with(kCutOff);
    return {};
  }
  inflate_.reset();
  crc_ = size_ = 0;
  part_ = Part::body;
  return {};
}

Result<bool> GzipStream::skip_fields(unsigned flags) {
  constexpr unsigned kHeaderCrc = 2, kExtra = 4, kName = 8, kComment = 16;
  bool whole = true;
  if ((flags & kExtra) != 0) {
    CARAVEL_ASSIGN_OR_RETURN(const auto length, number(2));
    if (!length) return false;
    CARAVEL_ASSIGN_OR_RETURN(whole, skip(*length));
    if (!whole) return false;
  }
  for (const unsigned text : {kName, kComment}) {
    if ((flags & text) == 0) continue;
    CARAVEL_ASSIGN_OR_RETURN(whole, skip_text());
    if (!whole) return false;
  }
  if ((flags & kHeaderCrc) == 0) return true;
  CARAVEL_ASSIGN_OR_RETURN(const auto crc, number(2));
  return crc.has_value();
}

Result<std::size_t> GzipStream::read_body(char* to, std::size_t size) {
  CARAVEL_ASSIGN_OR_RETURN(const bool any, fill());
  zlib::z_params params;
  params.next_in = input_.data() + begin_;
  params.avail_in = any ? end_ - begin_ : 0;
  params.next_out = to;
  params.avail_out = size;
  boost::beast::error_code error;
  try {
    inflate_.write(params, zlib::Flush::sync, error);
  } catch (const std::bad_alloc&) {
    return fail(ErrorKind::retry, "no memory to unpack it");
  }
  begin_ = end_ - params.avail_in;
  const std::size_t got = size - params.avail_out;
  crc_ = crc_of(crc_, to, got);
  size_ += static_cast<std::uint32_t>(got);
  if (error == zlib::error::end_of_stream) {
    part_ = Part::trailer;
  } else if (error == zlib::error::need_buffers || (!error && !any && got == 0)) {
    // It wants more to read, and there is none.
    if (!any) end_with(kCutOff);
  } else if (error) {
    end_with("its packed bytes make no sense");
  }
  return got;
}

Result<> GzipStream::read_trailer() {
  CARAVEL_ASSIGN_OR_RETURN(const auto crc, number(4));
  CARAVEL_ASSIGN_OR_RETURN(const auto size, number(4));
  if (!size) {
    end_with(kCutOff);
  } else if (*crc != crc_ || *size != size_) {
    end_with("its check sum is wrong");
  } else {
    part_ = Part::header;
  }
  return {};
}

Result<std::size_t> GzipStream::read(char* to, std::size_t size) {
  std::size_t got = 0;
  while (got < size && part_ != Part::end) {
    switch (part_) {
      case Part::header:
        CARAVEL_TRY(read_header());
        break;
      case Part::body: {
        CARAVEL_ASSIGN_OR_RETURN(const std::size_t more, read_body(to + got, size - got));
        got += more;
        break;
      }
      case Part::trailer:
        CARAVEL_TRY(read_trailer());
        break;
      case Part::end:
        break;
    }
  }
  return got;
}

}  // namespace caravel::tail
