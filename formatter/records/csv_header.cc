#include "formatter/records/csv_header.h"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "formatter/records/record_reader.h"

namespace caravel::formatter {
namespace {

/// A name without what a header may add to it: letter case, blanks, CRs, the mark of UTF-8 (which
/// stands inside of files that were put together).
std::string folded(std::string_view name) {
  if (name.substr(0, 3) == "\xef\xbb\xbf") name.remove_prefix(3);
  const std::size_t from = name.find_first_not_of(" \t\r");
  if (from == std::string_view::npos) return {};
  name = name.substr(from, name.find_last_not_of(" \t\r") + 1 - from);
  std::string text(name);
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

char to_upper_case(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

/// Names between quotes, for people.
std::string listed(const std::vector<std::string>& names) {
  constexpr std::size_t kMost = 20;
  std::string text;
  for (std::size_t i = 0; i < names.size() && i < kMost; ++i) {
    text += fmt::format("{}'{}'", i == 0 ? "" : ", ", printable_head(names[i]));
  }
  if (names.size() > kMost) text += fmt::format(" and {} more", names.size() - kMost);
  return text;
}

}  // namespace

CsvHeader::CsvHeader(std::vector<std::string> names, bool takes_more)
    : names_(std::move(names)), takes_more_(takes_more), places_(names_.size()), written_(names_) {
  std::transform(names_.begin(), names_.end(), std::back_inserter(folded_), folded);
  std::iota(places_.begin(), places_.end(), std::size_t{0});
  for (std::size_t i = 0; i < folded_.size(); ++i) {
    by_name_.emplace(folded_[i], i);  // of equal names, the first
    mark_beginnings(folded_[i]);
  }
  // What may stand before a name: see folded().
  for (const char before : {' ', '\t', '\r', '\xef'}) mark_beginnings(std::string_view(&before, 1));
}

void CsvHeader::mark_beginnings(std::string_view name) {
  is_name_empty_ = is_name_empty_ || name.empty();
  if (name.empty()) return;
  for (const char c : {name.front(), to_upper_case(name.front())}) {
    first_bytes_[static_cast<unsigned char>(c)] = true;
  }
  const auto both_cases = [](char c) { return std::string{c, to_upper_case(c)}; };
  for (const char first : both_cases(name.front())) {
    if (name.size() == 1) {
      // Anything may follow, or nothing.
      for (unsigned second = 0; second < 256; ++second) {
        beginnings_.set(pair_of(first, static_cast<char>(second)));
      }
      continue;
    }
    for (const char second : both_cases(name[1])) beginnings_.set(pair_of(first, second));
  }
}

std::optional<std::size_t> CsvHeader::column_of(std::string_view field, std::size_t i) const {
  // Asked for the fields of every line, nearly all of which are values.
  if (!may_name(field, '\0')) return {};
  const std::string name = folded(field);
  // Of names that fold to the same, the one in the same place is meant.
  if (i < folded_.size() && folded_[i] == name) return i;
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) return std::nullopt;
  return found->second;
}

CsvHeader::Kind CsvHeader::look(const std::vector<std::string_view>& fields, bool must_be) {
  // Nearly every line is one of data, and shows it before anything is kept of it.
  std::size_t unknown = 0;
  for (std::size_t i = 0; i < fields.size() && !must_be; ++i) {
    if (!column_of(fields[i], i) && 2 * ++unknown >= fields.size()) return Kind::none;
  }
  std::vector<std::size_t> places;
  std::set<std::size_t> named;
  bool twice = false;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const auto place = column_of(fields[i], i);
    places.push_back(place.value_or(kMore));
    if (place) twice = !named.insert(*place).second || twice;
  }
  const bool all = named.size() == names_.size() && fields.size() == names_.size();
  // A single column is one word, which data may hold as well: only the name as it is tells.
  if (all && !must_be && fields.size() == 1 && fields.front() != names_.front()) return Kind::none;
  if (!all && !must_be && named.size() < 2) return Kind::none;
  if (!all && (!takes_more_ || twice)) {
    describe_difference(fields);
    return Kind::wrong;
  }
  places_ = std::move(places);
  written_.assign(fields.begin(), fields.end());
  in_order_ = all;
  for (std::size_t i = 0; i < places_.size(); ++i) in_order_ = in_order_ && places_[i] == i;
  return Kind::header;
}

void CsvHeader::describe_difference(const std::vector<std::string_view>& fields) {
  std::vector<std::string> unknown;
  std::vector<std::string> missing;
  std::vector<std::string> again;
  std::set<std::size_t> seen;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const auto place = column_of(fields[i], i);
    if (!place) {
      unknown.emplace_back(fields[i]);
    } else if (!seen.insert(*place).second) {
      again.emplace_back(fields[i]);
    }
  }
  for (std::size_t i = 0; i < names_.size(); ++i) {
    if (!seen.contains(i)) missing.push_back(names_[i]);
  }
  std::vector<std::string> parts;
  if (!unknown.empty()) parts.push_back("not among the columns: " + listed(unknown));
  if (!missing.empty()) parts.push_back("missing: " + listed(missing));
  if (!again.empty()) parts.push_back("named twice: " + listed(again));
  difference_ = fmt::format("{}", fmt::join(parts, "; "));
}

}  // namespace caravel::formatter
