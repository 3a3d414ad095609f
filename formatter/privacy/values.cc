#include "formatter/privacy/values.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <limits>

#include "base/text.h"

namespace caravel::formatter {
namespace {

constexpr std::string_view kNothing = "-";

bool is_empty(std::string_view value) { return value.empty() || value == kNothing; }

/// A longer text would move the lines behind it.
std::string no_longer_than(std::string_view value, const std::string& text) {
  return text.size() <= value.size() ? text : std::string(kNothing);
}

/// Digits become zeros; what stands between them stays.
void clear_digits(std::string& text, std::size_t from, std::size_t until) {
  for (std::size_t i = from; i < std::min(until, text.size()); ++i) {
    if (is_digit(text[i])) text[i] = '0';
  }
}

/// How long an address can be as text (INET6_ADDRSTRLEN counts a final zero).
constexpr std::size_t kLongestAddress = INET6_ADDRSTRLEN - 1;

std::string text_of(int family, const void* address) {
  char text[INET6_ADDRSTRLEN];
  return ::inet_ntop(family, address, text, sizeof text) != nullptr ? text : "";
}

bool is_address(std::string_view value) {
  if (value.size() > kLongestAddress) return false;
  const std::string text(value);
  std::array<unsigned char, 16> bytes;
  return ::inet_pton(AF_INET, text.c_str(), bytes.data()) == 1 ||
         ::inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1;
}

struct Family {
  std::string_view mark;
  std::string_view name;
};

/// In this order, since most programs also name those that they want to be taken for.
constexpr auto kFamilies = std::to_array<Family>({
    {"bot", "bot"},         {"Bot", "bot"},
    {"crawl", "bot"},       {"spider", "bot"},
    {"Spider", "bot"},      {"SamsungBrowser", "Samsung"},
    {"Edg", "Edge"},        {"OPR", "Opera"},
    {"Opera", "Opera"},     {"Firefox", "Firefox"},
    {"FxiOS", "Firefox"},   {"CriOS", "Chrome"},
    {"Chrome", "Chrome"},   {"Chromium", "Chrome"},
    {"Safari", "Safari"},   {"MSIE", "MSIE"},
    {"Trident", "MSIE"},    {"curl", "curl"},
    {"Wget", "Wget"},       {"python", "python"},
    {"Python", "python"},   {"okhttp", "okhttp"},
    {"Go-http", "Go-http"}, {"Java", "Java"},
    {"Dalvik", "Dalvik"},   {"Prometheus", "Prometheus"},
});
constexpr std::string_view kOther = "other";

bool is_address_byte(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == '.' || c == ':';
}

bool is_mail_byte(char c) {
  return is_digit(c) || is_letter(c) || static_cast<unsigned char>(c) >= 0x80 ||
         std::string_view(".!#$%&*+-/=?^_`{|}~").find(c) != std::string_view::npos;
}

/// Where a string that begins with a quote at `from` ends: at the same quote, unless a backslash
/// stands before it, or at the end of the line.
std::size_t end_of_quoted(std::string_view line, std::size_t from) {
  for (std::size_t i = from + 1; i < line.size(); ++i) {
    if (line[i] == '\\') {
      ++i;
    } else if (line[i] == line[from]) {
      return i;
    }
  }
  return line.size();
}

/// Whether a run of address bytes holds what may be one: three points or two colons, be it a part
/// of something longer. A clock, "09:48:02", has two colons as well, and is not spared: it costs
/// little.
bool may_be_address(std::string_view run) {
  return std::count(run.begin(), run.end(), '.') >= 3 ||
         std::count(run.begin(), run.end(), ':') >= 2;
}

/// Without quoted strings.
std::string without_quoted(std::string_view line) {
  std::string out;
  for (std::size_t i = 0; i < line.size();) {
    // An apostrophe within a word is none.
    const bool quote = line[i] == '"' || (line[i] == '\'' && (i == 0 || !is_letter(line[i - 1])));
    out.push_back(line[i]);
    if (!quote) {
      ++i;
      continue;
    }
    const std::size_t end = end_of_quoted(line, i);
    if (end > i + 1) out += kNothing;
    if (end < line.size()) out.push_back(line[i]);
    i = end + 1;
  }
  return out;
}

/// Each run of bytes that `belongs` takes is kept, or becomes "-" if `hides` says so.
template <class Belongs, class Hides>
std::string without_runs(std::string_view line, Belongs belongs, Hides hides) {
  std::string out;
  for (std::size_t i = 0; i < line.size();) {
    const auto* const end = std::find_if_not(line.data() + i, line.data() + line.size(), belongs);
    const auto size = static_cast<std::size_t>(end - line.data()) - i;
    if (size == 0) {
      out.push_back(line[i++]);
      continue;
    }
    const std::string_view run = line.substr(i, size);
    out += hides(run) ? kNothing : run;
    i += size;
  }
  return out;
}

/// Addresses within an URL become their networks, with or without a port behind them.
std::string without_addresses(std::string_view url) {
  std::string out;
  for (std::size_t i = 0; i < url.size();) {
    const auto* const end =
        std::find_if_not(url.data() + i, url.data() + url.size(), is_address_byte);
    std::string_view run = url.substr(i, static_cast<std::size_t>(end - url.data()) - i);
    if (run.empty()) {
      out.push_back(url[i++]);
      continue;
    }
    const std::size_t port = run.find(':');
    if (!is_address(run) && port != std::string_view::npos && is_address(run.substr(0, port))) {
      run = run.substr(0, port);
    }
    out += is_address(run) ? truncated_address(run) : std::string(run);
    i += run.size();
  }
  return out;
}

/// The parts of a path that are an e-mail address.
std::string without_mail(std::string_view url) {
  std::string out;
  for (std::size_t i = 0; i < url.size();) {
    const std::size_t end = std::min(url.find_first_of("/ ;&=", i), url.size());
    const std::string_view part = url.substr(i, end - i);
    const std::size_t at = std::min(part.find('@'), part.find("%40"));
    out += at != std::string_view::npos && at > 0 ? kNothing : part;
    if (end < url.size()) out.push_back(url[end]);
    i = end + 1;
  }
  return out;
}

}  // namespace

std::string truncated_address(std::string_view value) {
  if (is_empty(value)) return std::string(value);
  if (!is_address(value)) return std::string(kNothing);
  const std::string text(value);
  std::array<unsigned char, 16> bytes{};
  if (::inet_pton(AF_INET, text.c_str(), bytes.data()) == 1) {
    bytes[3] = 0;
    return no_longer_than(value, text_of(AF_INET, bytes.data()));
  }
  ::inet_pton(AF_INET6, text.c_str(), bytes.data());
  in6_addr address;
  std::memcpy(&address, bytes.data(), bytes.size());
  if (IN6_IS_ADDR_V4MAPPED(&address)) {
    bytes[15] = 0;
  } else {
    std::fill(bytes.begin() + 6, bytes.end(), static_cast<unsigned char>(0));
  }
  return no_longer_than(value, text_of(AF_INET6, bytes.data()));
}

std::string hour_of_clock(std::string_view value) {
  std::string text(value);
  clear_digits(text, 2, text.size());
  return text;
}

std::string hour_of_timestamp(std::string_view value) {
  std::string text(value);
  // A date has no T and no blank, in whatever form of ISO 8601; behind it stand two digits of the
  // hour, and the zone begins behind the time.
  const std::size_t time = value.find_first_of("Tt ");
  if (time == std::string_view::npos) return text;
  clear_digits(text, time + 3, value.find_first_of("Zz+-", time));
  return text;
}

std::string hour_of_epoch(std::string_view value, bool milliseconds) {
  std::int64_t whole = 0;
  const auto [end, status] = std::from_chars(value.data(), value.data() + value.size(), whole);
  if (status != std::errc()) return std::string(kNothing);
  const std::int64_t hour = milliseconds ? 3'600'000 : 3'600;
  // Towards 1970, so that the text of a time before it grows no longer.
  std::string text = std::to_string(whole - whole % hour);
  text.append(end, static_cast<std::size_t>(value.data() + value.size() - end));
  clear_digits(text, text.size() - static_cast<std::size_t>(value.data() + value.size() - end),
               text.size());
  return no_longer_than(value, text);
}

std::string without_query(std::string_view value) {
  if (is_empty(value)) return std::string(value);
  // The version that ends a request is no part of its URL.
  std::string_view version;
  const std::size_t blank = value.rfind(' ');
  if (blank != std::string_view::npos && value.substr(blank + 1).starts_with("HTTP/") &&
      value.size() - blank <= sizeof " HTTP/1.1") {
    version = value.substr(blank);
  }
  std::string url(value.substr(0, value.size() - version.size()));
  std::size_t cut = std::min(url.find_first_of("?#"), url.find("%3F"));
  cut = std::min(cut, url.find("%3f"));
  if (cut != std::string::npos) url.resize(cut);
  if (const std::size_t scheme = url.find("://"); scheme != std::string::npos) {
    const std::size_t host = scheme + 3;
    const std::size_t path = std::min(url.find('/', host), url.size());
    const std::size_t user = url.rfind('@', path);
    if (user != std::string::npos && user >= host && user < path) url.erase(host, user + 1 - host);
  }
  url = without_addresses(without_mail(url));
  url += version;
  return url.empty() ? std::string(kNothing) : url;
}

std::string agent_family(std::string_view value) {
  if (is_empty(value) || value == kOther) return std::string(value);
  for (const Family& family : kFamilies) {
    if (value == family.name) return std::string(value);
  }
  for (const Family& family : kFamilies) {
    if (value.find(family.mark) == std::string_view::npos) continue;
    return no_longer_than(value, std::string(family.name));
  }
  return no_longer_than(value, std::string(kOther));
}

std::string scrubbed(std::string_view line) {
  // Quotes first: what is found in them is gone with them. Then e-mail addresses, whose parts may
  // look like an IP address.
  std::string text = without_quoted(line);
  text = without_runs(
      text, [](char c) { return is_mail_byte(c) || c == '@'; },
      [](std::string_view run) { return run.find('@') != std::string_view::npos; });
  return without_runs(text, is_address_byte, may_be_address);
}

}  // namespace caravel::formatter
