// Integers as they cross PostgreSQL's wire: the big end first.
#pragma once

#include <cstdint>
#include <string>

namespace caravel::uploader {

inline void append_int16(std::uint16_t value, std::string& out) {
  const char bytes[] = {static_cast<char>(value >> 8U), static_cast<char>(value)};
  out.append(bytes, sizeof bytes);
}

inline void append_int32(std::uint32_t value, std::string& out) {
  const char bytes[] = {static_cast<char>(value >> 24U), static_cast<char>(value >> 16U),
                        static_cast<char>(value >> 8U), static_cast<char>(value)};
  out.append(bytes, sizeof bytes);
}

inline void append_int64(std::int64_t value, std::string& out) {
  const auto bits = static_cast<std::uint64_t>(value);
  append_int32(static_cast<std::uint32_t>(bits >> 32U), out);
  append_int32(static_cast<std::uint32_t>(bits), out);
}

}  // namespace caravel::uploader
