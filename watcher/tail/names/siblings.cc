#include "watcher/tail/names/siblings.h"

#include <algorithm>
#include <tuple>

#include "base/text.h"
#include "watcher/tail/files/paths.h"

namespace caravel::tail {
namespace {

/// What gzip, xz, bzip2, zstd, lz4 and compress put behind a name.
constexpr std::string_view kPacked[] = {".gz", ".xz", ".bz2", ".zst", ".lz4", ".Z"};

/// Whether `text` can stand for a rotation: "old", "bak", or digits with separators between them,
/// as in 1, 20240131, 2024-01-31T10:00:00+01:00. 40 bytes are more than any date needs.
bool is_rotation(std::string_view text) {
  if (text == "old" || text == "bak") return true;
  if (text.empty() || text.size() > 40 || !is_digit(text.front())) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return is_digit(c) || std::string_view("-_.:TZ+").find(c) != std::string_view::npos;
  });
}

bool is_separator(char c) { return c == '.' || c == '-' || c == '_'; }

/// `name` without the suffix of a compressor; one suffix at most.
std::string_view unpacked(std::string_view name) {
  for (const std::string_view suffix : kPacked) {
    if (name.ends_with(suffix)) return name.substr(0, name.size() - suffix.size());
  }
  return name;
}

/// Whether a rotation is a count: up to four digits are, more are a date or a time.
bool is_number(const std::string& rotation) {
  return rotation.size() <= 4 && std::all_of(rotation.begin(), rotation.end(), is_digit);
}

/// The count of a rotation for which is_number() holds: below 10,000, so no overflow.
int number_of(const Sibling& sibling) {
  int number = 0;
  for (const char digit : sibling.rotation) number = number * 10 + (digit - '0');
  return number;
}

/// Takes the next part off the front of `rest`, as a value that compares in the order of time:
/// separators, then counts (up to four digits, by their value), then dates (as text, so that 202402
/// is after 20240131).
std::tuple<int, int, std::string_view> next_part(std::string_view& rest) {
  const std::size_t digits = std::min(rest.find_first_not_of("0123456789"), rest.size());
  const std::string_view part = rest.substr(0, std::max<std::size_t>(digits, 1));
  rest.remove_prefix(part.size());
  if (digits == 0) return {0, 0, part};
  if (digits > 4) return {2, 0, part};
  int number = 0;
  for (const char digit : part) number = number * 10 + (digit - '0');
  return {1, number, {}};
}

/// Whether rotation `a` was before `b`. A count behind a date goes by its value: "2024-01-31.9" is
/// before "2024-01-31.10".
bool is_earlier(std::string_view a, std::string_view b) {
  while (!a.empty() && !b.empty()) {
    const auto in_a = next_part(a);
    const auto in_b = next_part(b);
    if (in_a != in_b) return in_a < in_b;
  }
  return a.empty() && !b.empty();
}

/// Whether a rotation is sorted as a date: six digits may be a year and a month.
bool sorts_as_date(const std::string& rotation) {
  return rotation.size() >= 6 && is_digit(rotation[0]);
}

}  // namespace

bool is_packed(std::string_view name) {
  return std::any_of(std::begin(kPacked), std::end(kPacked),
                     [&](std::string_view suffix) { return name.ends_with(suffix); });
}

std::optional<std::string_view> rotation_of(std::string_view name, std::string_view base) {
  name = unpacked(name);
  const auto separated = [](std::string_view text) {
    return !text.empty() && is_separator(text.front());
  };
  if (name.starts_with(base) && separated(name.substr(base.size()))) {
    const std::string_view rest = name.substr(base.size() + 1);
    if (is_rotation(rest)) return rest;
  }
  // The other shape has the rotation before the extension: of app.log, app-20240131.log and
  // app.1.log.
  const std::size_t dot = base.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return std::nullopt;
  const std::string_view stem = base.substr(0, dot);
  const std::string_view extension = base.substr(dot);
  if (name.size() <= base.size() || !name.starts_with(stem) || !name.ends_with(extension)) {
    return std::nullopt;
  }
  const std::string_view middle = name.substr(stem.size(), name.size() - base.size());
  if (!separated(middle) || !is_rotation(middle.substr(1))) return std::nullopt;
  return middle.substr(1);
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
    if (is_rotation(name.substr(i + 1))) bases.emplace_back(name.substr(0, i));
    if (dot == std::string_view::npos || i >= dot) continue;
    if (is_rotation(name.substr(i + 1, dot - i - 1))) {
      bases.push_back(std::string(name.substr(0, i)) + std::string(name.substr(dot)));
    }
  }
  return bases;
}

bool numbers_ascend(const std::vector<Sibling>& files, const Sibling* read, const Sibling* before) {
  const auto numbered = [](const Sibling& s) { return is_number(s.rotation); };
  if (files.empty() || !std::all_of(files.begin(), files.end(), numbered)) return false;
  if (read != nullptr && numbered(*read)) {
    // `read` is older than all of `files`, so its number tells the direction, and no clock is
    // asked.
    const int number = number_of(*read);
    const auto higher = std::count_if(files.begin(), files.end(),
                                      [&](const Sibling& s) { return number_of(s) > number; });
    if (higher == 0) return false;
    if (static_cast<std::size_t>(higher) == files.size()) return true;
    if (before != nullptr && numbered(*before)) return number_of(*before) < number;
  }
  if (files.size() < 2) return false;
  std::vector<const Sibling*> order;
  for (const Sibling& file : files) order.push_back(&file);
  std::sort(order.begin(), order.end(),
            [](const Sibling* a, const Sibling* b) { return number_of(*a) < number_of(*b); });
  const auto all_pairs = [&](auto test) {
    return std::adjacent_find(order.begin(), order.end(), [&](const Sibling* a, const Sibling* b) {
             return !test(a->stamp, b->stamp);
           }) == order.end();
  };
  // A rename sets the change time (ctime), to the time of the file system, which no program can
  // set. logrotate's way renames all of them at each rotation, the highest first: the change times
  // descend with the number. The other way renames each file once: they ascend. After a copy or a
  // chown of all files they say nothing; then mtimes that descend with the number speak against
  // counting upwards. But an mtime before the birth time comes from a clock that was set, or from a
  // copy, and says nothing itself.
  const bool renamed_once =
      all_pairs([](const Stamp& a, const Stamp& b) { return a.changed < b.changed; });
  const bool contradicted =
      all_pairs([](const Stamp& a, const Stamp& b) { return a.modified > b.modified; });
  const bool stepped = std::any_of(files.begin(), files.end(), [](const Sibling& s) {
    return s.stamp.id.born != 0 && s.stamp.modified < s.stamp.id.born;
  });
  return renamed_once && (stepped || !contradicted);
}

void sort_siblings(std::vector<Sibling>& siblings, bool ascending) {
  const auto all = [&](auto test) {
    return std::all_of(siblings.begin(), siblings.end(),
                       [&](const Sibling& s) { return test(s.rotation); });
  };
  const bool numbers = all(is_number);
  const bool dates = !numbers && all(sorts_as_date);
  std::sort(siblings.begin(), siblings.end(), [&](const Sibling& a, const Sibling& b) {
    // Equal numbers (app.log.1 beside app.1.log) are left to the times.
    if (numbers && number_of(a) != number_of(b)) {
      return ascending == (number_of(a) < number_of(b));
    }
    if (dates && a.rotation != b.rotation) return is_earlier(a.rotation, b.rotation);
    if (a.stamp.modified != b.stamp.modified) return a.stamp.modified < b.stamp.modified;
    return a.path < b.path;
  });
}

Result<std::vector<Sibling>> rotated_siblings(const std::string& log,
                                              const std::optional<Stamp>& live) {
  const std::string directory = directory_of(log);
  const std::string base = base_of(log);
  CARAVEL_ASSIGN_OR_RETURN(auto names, names_in(directory));
  std::vector<Sibling> siblings;
  for (const std::string& name : names) {
    const auto rotation = rotation_of(name, base);
    if (!rotation) continue;
    Sibling sibling;
    sibling.path = directory + "/" + name;
    sibling.rotation = *rotation;
    sibling.packed = is_packed(name);
    const auto stamp = stamp_of(sibling.path);
    // A file that is there and does not answer must not be taken for gone, and so for lost.
    if (!stamp) return tl::unexpected(stamp.error());
    if (!*stamp || !(*stamp)->regular) continue;  // gone by now, or no file of a log
    sibling.stamp = **stamp;
    // A hard link to the log under a rotated name is the log itself, not one of its rotated files.
    if (live && same_file(live->id, sibling.stamp.id)) continue;
    siblings.push_back(std::move(sibling));
  }
  return siblings;
}

}  // namespace caravel::tail
