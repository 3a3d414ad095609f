#include "watcher/tail/names/order.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <tuple>

#include "base/text.h"

namespace caravel::tail {
namespace {

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
  // The times of multilog: hex digits (tai64nlocal(8)).
  constexpr std::size_t kTai = 24;
  if (is_hex(a, kTai) && is_hex(b, kTai)) return a < b;
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

bool is_copied_or_stepped(const Sibling& file) {
  return file.stamp.id.born != 0 && file.stamp.modified < file.stamp.id.born;
}

/// Whether `test` holds for each two neighbours.
template <class Test>
bool all_pairs(const std::vector<const Sibling*>& order, Test test) {
  return std::adjacent_find(order.begin(), order.end(), [&](const Sibling* a, const Sibling* b) {
           return !test(a->stamp, b->stamp);
         }) == order.end();
}

bool ascending(const std::vector<const Sibling*>& order, std::int64_t Stamp::*time) {
  return all_pairs(order, [&](const Stamp& a, const Stamp& b) { return a.*time < b.*time; });
}

/// Whether the mtimes ascend but for one step back: the files before it were written over after
/// the last one was written.
bool turns(const std::vector<const Sibling*>& order) {
  std::size_t back = 0;
  for (std::size_t i = 1; i < order.size(); ++i) {
    if (order[i]->stamp.modified < order[i - 1]->stamp.modified) ++back;
  }
  return back == 1 && order.front()->stamp.modified >= order.back()->stamp.modified;
}

/// Whether a program that counts upwards has begun again at its first number: the births ascend
/// with the number, the last writes turn around once. A log that was copied, truncated and then
/// renamed is older than its copies too, and has the lowest number; but then all were renamed, the
/// highest first.
bool has_begun_again(const std::vector<const Sibling*>& order) {
  const bool tells = std::none_of(order.begin(), order.end(), [](const Sibling* file) {
    return file->stamp.id.born == 0 || file->packed || is_copied_or_stepped(*file);
  });
  const bool born_upwards =
      all_pairs(order, [](const Stamp& a, const Stamp& b) { return a.id.born < b.id.born; });
  const bool renamed =
      all_pairs(order, [](const Stamp& a, const Stamp& b) { return a.changed > b.changed; });
  return tells && born_upwards && !renamed && turns(order);
}

/// What the times say; `order` is by number, ascending.
Numbers by_times(const std::vector<const Sibling*>& order) {
  if (has_begun_again(order)) return Numbers::turn;
  // A packer keeps the time of the last write, or packs soon after it.
  if (std::any_of(order.begin(), order.end(), [](const Sibling* s) { return s->packed; })) {
    return ascending(order, &Stamp::modified) ? Numbers::ascend : Numbers::descend;
  }
  // A program that counts upwards begins its files in that order, also if it writes the last lines
  // of one when the next one is begun. Files that were all renamed, the highest first, tell nothing
  // by their births: one may have been copied and truncated before.
  const bool born_known = std::none_of(
      order.begin(), order.end(), [](const Sibling* file) { return file->stamp.id.born == 0; });
  const bool born_upwards =
      all_pairs(order, [](const Stamp& a, const Stamp& b) { return a.id.born <= b.id.born; }) &&
      order.front()->stamp.id.born < order.back()->stamp.id.born;
  const bool may_be_renamed =
      all_pairs(order, [](const Stamp& a, const Stamp& b) { return a.changed >= b.changed; });
  if (born_known && born_upwards && !may_be_renamed) return Numbers::ascend;
  // A rename sets the change time (ctime), to the time of the file system, which no program can
  // set. logrotate's way renames all of them at each rotation, the highest first: the change times
  // descend with the number. The other way renames each file once: they ascend. After a copy or a
  // chown of all files they say nothing; then mtimes that descend with the number speak against
  // counting upwards. But an mtime before the birth time comes from a clock that was set, or from a
  // copy, and says nothing itself.
  const bool contradicted =
      all_pairs(order, [](const Stamp& a, const Stamp& b) { return a.modified > b.modified; });
  const bool stepped = std::any_of(order.begin(), order.end(),
                                   [](const Sibling* s) { return is_copied_or_stepped(*s); });
  const bool renamed_once = ascending(order, &Stamp::changed);
  return renamed_once && (stepped || !contradicted) ? Numbers::ascend : Numbers::descend;
}

bool by_last_write(const Sibling& a, const Sibling& b) {
  if (a.stamp.modified != b.stamp.modified) return a.stamp.modified < b.stamp.modified;
  if (a.stamp.id.born != b.stamp.id.born) return a.stamp.id.born < b.stamp.id.born;
  if (a.appeared != b.appeared) return a.appeared < b.appeared;
  return a.path < b.path;
}

}  // namespace

Numbers numbers_of(const std::vector<Sibling>& files, const Sibling* read, const Sibling* before) {
  const auto numbered = [](const Sibling& s) { return is_number(s.rotation); };
  if (files.empty() || !std::all_of(files.begin(), files.end(), numbered)) return Numbers::descend;
  std::vector<const Sibling*> order;
  for (const Sibling& file : files) order.push_back(&file);
  std::sort(order.begin(), order.end(),
            [](const Sibling* a, const Sibling* b) { return number_of(*a) < number_of(*b); });
  if (read != nullptr && numbered(*read)) {
    // `read` is older than all of `files`, so its number tells the direction, and no clock is
    // asked.
    const int number = number_of(*read);
    const auto higher = std::count_if(files.begin(), files.end(),
                                      [&](const Sibling& s) { return number_of(s) > number; });
    // All below what was read: logrotate's way, or a program that has begun again at its first
    // number. Only in the second case do births ascend.
    if (higher == 0) {
      const bool again = files.size() > 1 && by_times(order) == Numbers::ascend;
      return again && read->stamp.id.born > files.front().stamp.id.born ? Numbers::ascend
                                                                        : Numbers::descend;
    }
    if (static_cast<std::size_t>(higher) == files.size()) return Numbers::ascend;
    if (before != nullptr && numbered(*before)) {
      if (number_of(*before) >= number) return Numbers::descend;
      return by_times(order) == Numbers::turn ? Numbers::turn : Numbers::ascend;
    }
  }
  return files.size() < 2 ? Numbers::descend : by_times(order);
}

void sort_siblings(std::vector<Sibling>& siblings, Numbers numbers) {
  const auto all = [&](auto test) {
    return std::all_of(siblings.begin(), siblings.end(),
                       [&](const Sibling& s) { return test(s.rotation); });
  };
  const bool numbered = all(is_number) && numbers != Numbers::turn;
  const bool dates = !numbered && all(sorts_as_date);
  std::sort(siblings.begin(), siblings.end(), [&](const Sibling& a, const Sibling& b) {
    // Equal numbers (app.log.1 beside app.1.log) are left to the times.
    if (numbered && number_of(a) != number_of(b)) {
      return (numbers == Numbers::ascend) == (number_of(a) < number_of(b));
    }
    if (dates && a.rotation != b.rotation) return is_earlier(a.rotation, b.rotation);
    return by_last_write(a, b);
  });
}

void sort_by_writing(std::vector<Sibling>& siblings, const Sibling* read, const Sibling* before) {
  const auto all = [&](auto test) { return std::all_of(siblings.begin(), siblings.end(), test); };
  const bool names_tell = all([](const Sibling& s) { return is_number(s.rotation); }) ||
                          all([](const Sibling& s) { return sorts_as_date(s.rotation); });
  // A log that was copied and truncated is older than the copy, and was written after it. So the
  // last write tells more than the birth, if no clock was set.
  const bool by_birth = all([](const Sibling& s) { return s.stamp.id.born != 0; }) &&
                        !all([](const Sibling& s) { return s.packed || !is_copied_or_stepped(s); });
  if (names_tell || !by_birth) {
    sort_siblings(siblings, numbers_of(siblings, read, before));
    return;
  }
  std::sort(siblings.begin(), siblings.end(), [](const Sibling& a, const Sibling& b) {
    const bool differ = a.stamp.id.born != b.stamp.id.born;
    return differ ? a.stamp.id.born < b.stamp.id.born : a.appeared < b.appeared;
  });
}

}  // namespace caravel::tail
