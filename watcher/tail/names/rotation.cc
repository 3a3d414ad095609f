#include "watcher/tail/names/rotation.h"

#include <algorithm>

#include "base/text.h"

namespace caravel::tail {
namespace {

/// What gzip, xz, bzip2, zstd, lz4 and compress put behind a name.
constexpr std::string_view kPacked[] = {".gz", ".xz", ".bz2", ".zst", ".lz4", ".Z"};
/// A date in front of a name has at least a year and a month.
constexpr std::size_t kShortestDate = 6;
/// '@' and a TAI64N time, as multilog writes it: 24 hex digits (tai64nlocal(8)).
constexpr std::size_t kTaiDigits = 24;

bool is_separator(char c) { return c == '.' || c == '-' || c == '_'; }

/// Whether `text` can stand for a rotation: "old", "bak", "O" (cups), or digits with separators
/// between them, as in 1, 20240131, 2024-01-31T10:00:00+01:00. 40 bytes are more than any date
/// needs.
bool is_rotation(std::string_view text) {
  if (text == "old" || text == "bak" || text == "O") return true;
  if (text.empty() || text.size() > 40 || !is_digit(text.front())) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return is_digit(c) || std::string_view("-_.:TZ+").find(c) != std::string_view::npos;
  });
}

bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

/// The rotation in `text`, which begins with the separator before it, or with two of one kind.
std::optional<std::string_view> separated_rotation(std::string_view text) {
  if (text.size() < 2 || !is_separator(text.front())) return std::nullopt;
  const std::size_t separators = text[1] == text[0] ? 2 : 1;
  text.remove_prefix(separators);
  if (is_rotation(text)) return text;
  return std::nullopt;
}

std::string_view unpacked(std::string_view name) {
  return name.substr(0, name.size() - packed_suffix(name).size());
}

/// What is in `name` between `stem` and `extension`, which are at its ends.
std::optional<std::string_view> between(std::string_view stem, std::string_view name,
                                        std::string_view extension) {
  if (name.size() <= stem.size() + extension.size()) return std::nullopt;
  if (!name.starts_with(stem) || !name.ends_with(extension)) return std::nullopt;
  return name.substr(stem.size(), name.size() - stem.size() - extension.size());
}

/// Of "app.log": "app" and ".log". Without an extension, all of it is the stem.
std::pair<std::string_view, std::string_view> split_extension(std::string_view base) {
  const std::size_t dot = base.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return {base, {}};
  return {base.substr(0, dot), base.substr(dot)};
}

/// "@4000….s" of `current`: what is still being written, or was cut off, ends in ".u".
std::optional<Kin> kin_of_current(std::string_view name) {
  if (name.size() != 1 + kTaiDigits + 2 || name.front() != '@') return std::nullopt;
  if (!name.ends_with(".s") && !name.ends_with(".u")) return std::nullopt;
  const std::string_view time = name.substr(1, kTaiDigits);
  if (!is_hex(time, kTaiDigits)) return std::nullopt;
  return Kin{std::string(time)};
}

/// "app.log.3" of "app.log.0", "app.3.log" of "app.0.log": java.util.logging counts from 0, and 0
/// is the file that is written.
std::optional<Kin> kin_of_zero(std::string_view name, std::string_view base) {
  for (std::size_t zero = 1; zero < base.size(); ++zero) {
    const bool ends = zero + 1 == base.size() || base[zero + 1] == '.';
    if (base[zero] != '0' || !is_separator(base[zero - 1]) || !ends) continue;
    const auto number = between(base.substr(0, zero), name, base.substr(zero + 1));
    if (number && all_digits(*number) && number->size() <= 4 && number->front() != '0') {
      return Kin{std::string(*number), Proof::touch};
    }
  }
  return std::nullopt;
}

}  // namespace

std::string_view packed_suffix(std::string_view name) {
  for (const std::string_view suffix : kPacked) {
    if (name.ends_with(suffix)) return name.substr(name.size() - suffix.size());
  }
  return {};
}

std::optional<std::string_view> rotation_of(std::string_view name, std::string_view base) {
  name = unpacked(name);
  if (name.starts_with(base)) {
    if (auto rotation = separated_rotation(name.substr(base.size()))) return rotation;
  }
  // The other shape has the rotation before the extension: of app.log, app-20240131.log and
  // app.1.log.
  const auto [stem, extension] = split_extension(base);
  if (extension.empty()) return std::nullopt;
  const auto middle = between(stem, name, extension);
  return middle ? separated_rotation(*middle) : std::nullopt;
}

std::optional<Kin> kin_of(std::string_view name, std::string_view base) {
  if (const auto rotation = rotation_of(name, base)) return Kin{std::string(*rotation)};
  name = unpacked(name);
  if (base == "current") return kin_of_current(name);
  // rotating-file-stream: 20240131-1010-01-app.log.
  const auto before = between("", name, base);
  if (before && before->size() > kShortestDate && is_separator(before->back())) {
    const std::string_view date = before->substr(0, before->size() - 1);
    if (is_rotation(date) && date.size() >= kShortestDate) return Kin{std::string(date)};
  }
  if (auto kin = kin_of_zero(name, base)) return kin;
  // winston: app1.log.
  const auto [stem, extension] = split_extension(base);
  const auto number = between(stem, name, extension);
  if (number && all_digits(*number) && number->size() <= 4 && !is_digit(stem.back())) {
    return Kin{std::string(*number), Proof::touch};
  }
  return std::nullopt;
}

std::optional<Kin> kin_of(std::string_view name, std::string_view base,
                          const std::vector<std::string>& shapes) {
  auto kin = kin_of(name, base);
  if ((kin && kin->proof == Proof::none) || shapes.empty() || name == base) return kin;
  // winston-daily-rotate-file: the link leads to app.2026.3.log, and app.2026.log was the first.
  const auto bases = bases_of(base);
  if (!kin && std::find(bases.begin(), bases.end(), name) != bases.end()) {
    const std::string_view digits = digits_of(name);
    return Kin{digits.empty() ? "0" : std::string(digits), Proof::gap};
  }
  if (std::find(shapes.begin(), shapes.end(), shape_of(name)) == shapes.end()) return kin;
  return Kin{std::string(digits_of(name)), Proof::gap};
}

bool is_date(std::string_view rotation) {
  return rotation.size() >= 8 && (rotation.starts_with("20") || rotation.starts_with("19"));
}

std::vector<std::string> bases_of(std::string_view name) {
  name = unpacked(name);
  const std::size_t dot = name.rfind('.');
  std::vector<std::string> bases;
  for (std::size_t i = 1; i < name.size(); ++i) {
    // Each separator may be the one before a rotation: "a-2024-01-31.log" may be a rotation of
    // "a.log", "a-2024.log" or "a-2024-01.log". The caller looks which of them is there.
    if (!is_separator(name[i])) continue;
    if (separated_rotation(name.substr(i))) bases.emplace_back(name.substr(0, i));
    if (dot == std::string_view::npos || i >= dot) continue;
    if (separated_rotation(name.substr(i, dot - i))) {
      bases.push_back(std::string(name.substr(0, i)) + std::string(name.substr(dot)));
    }
  }
  return bases;
}

std::string shape_of(std::string_view name) {
  name = unpacked(name);
  std::string shape;
  bool digits = false;
  for (const char c : name) {
    if (!is_digit(c)) {
      shape += c;
    } else if (shape.empty() || shape.back() != '#') {
      shape += '#';
      digits = true;
    }
  }
  return digits ? shape : std::string();
}

std::string_view digits_of(std::string_view name) {
  name = unpacked(name);
  const std::size_t first = name.find_first_of("0123456789");
  if (first == std::string_view::npos) return {};
  return name.substr(first, name.find_last_of("0123456789") + 1 - first);
}

}  // namespace caravel::tail
