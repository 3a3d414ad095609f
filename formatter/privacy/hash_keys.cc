#include "formatter/privacy/hash_keys.h"

#include <algorithm>
#include <cstddef>

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/text.h"

namespace caravel::formatter {
namespace {

constexpr std::size_t kHashDigits = 16;
constexpr std::size_t kMarkDigits = 8;

/// The first hex digits of HMAC-SHA-256.
std::string hmac_digits(std::string_view key, std::string_view text, std::size_t digits) {
  unsigned char bytes[EVP_MAX_MD_SIZE] = {};
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), bytes, &size);
  return fmt::format("{:02x}", fmt::join(bytes, bytes + digits / 2, ""));
}

}  // namespace

std::string hashed_value(std::string_view key, std::string_view mark, std::string_view format,
                         std::string_view capture, std::string_view value) {
  // Names hold no NUL (YAML), so no two lists of the three give one text.
  std::string text(format);
  text.push_back('\0');
  text += capture;
  text.push_back('\0');
  text += value;
  std::string hash = hmac_digits(key, text, kHashDigits);
  hash += hmac_digits(mark, hash, kMarkDigits);
  return hash;
}

bool is_hashed_value(std::string_view mark, std::string_view value) {
  return value.size() == kHashDigits + kMarkDigits &&
         std::all_of(value.begin(), value.end(), is_lower_hex) &&
         hmac_digits(mark, value.substr(0, kHashDigits), kMarkDigits) == value.substr(kHashDigits);
}

}  // namespace caravel::formatter
