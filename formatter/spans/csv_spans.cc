#include "formatter/spans/csv_spans.h"

#include <algorithm>

#include "base/bytes/sixteen_bytes.h"

namespace caravel::formatter {
namespace {

constexpr CsvDialect kOurDialect{};

/// Each bit of the answer says whether an odd number of bits is set up to it, itself included.
std::uint64_t odd_up_to(std::uint64_t bits) {
  for (unsigned step = 1; step < 64; step *= 2) bits ^= bits << step;
  return bits;
}

/// std::popcount would be a call into the library, since not every x86-64 has the instruction.
std::size_t count_bits(std::uint64_t bits) {
  bits -= (bits >> 1) & in_every_byte(0x55);
  bits = (bits & in_every_byte(0x33)) + ((bits >> 2) & in_every_byte(0x33));
  bits = (bits + (bits >> 4)) & in_every_byte(0x0f);
  return (bits * in_every_byte(1)) >> 56;
}

}  // namespace

bool wants_csv_quotes(std::string_view text) {
  for (std::size_t at = 0; at < text.size(); at += 16) {
    const SixteenBytes bytes(text.data() + at);
    std::uint32_t found =
        bytes.equal(',') | bytes.equal('"') | bytes.equal('\r') | bytes.equal('\n');
    // What lies behind the text does not count.
    if (text.size() - at < 16) found &= (std::uint32_t{1} << (text.size() - at)) - 1;
    if (found != 0) return true;
  }
  return false;
}

bool CsvSpans::scan(std::string_view record, const CsvDialect& dialect) {
  record_ = record;
  is_ours_ = dialect == kOurDialect;
  has_quotes_ = false;
  count_ = 0;
  words_ = record.size() / 64 + 1;  // the bit of the record's end needs its place too
  make_room(words_);
  if (!(is_ours_ ? index<true>(dialect) : index<false>(dialect))) return false;
  return !has_quotes_ || match_quotes();
}

void CsvSpans::make_room(std::size_t words) {
  // Grown only, and thus only for records longer than all before.
  if (room_ >= words) return;
  room_ = words;
  separators_.resize(words);
  quotes_.resize(words);
}

bool CsvSpans::scan_ahead(const char* line) {
  is_ours_ = true;
  count_ = 0;
  std::uint64_t all_quotes = 0;
  std::size_t words = 0;
  for (const char* at = line;; at += 64) {
    std::uint64_t separators = 0;
    std::uint64_t quotes = 0;
    std::uint64_t ends = 0;
    // Not further than to the line's end: most lines end in the first sixteen bytes of a word as
    // often as in the last.
    for (unsigned shift = 0; shift < 64; shift += 16) {
      const SixteenBytes bytes(at + shift);
      separators |= std::uint64_t{bytes.equal(',')} << shift;
      std::uint32_t others = bytes.control_or_quote();
      if (others == 0) continue;
      const std::uint32_t some_quotes = bytes.equal('"');
      quotes |= std::uint64_t{some_quotes} << shift;
      others &= ~some_quotes;
      if (others == 0) continue;
      ends = std::uint64_t{others} << shift;
      break;
    }
    const std::uint64_t end = ends & (~ends + 1);
    if (end != 0) {
      separators = (separators & (end - 1)) | end;
      quotes &= end - 1;
    }
    all_quotes |= quotes;
    if (room_ == words) make_room(words + 1);
    separators_[words] = separators;
    quotes_[words] = quotes;
    ++words;
    if (end == 0) continue;
    record_ = {line, static_cast<std::size_t>(at + __builtin_ctzll(end) - line)};
    break;
  }
  words_ = words;
  const char* const end = record_.data() + record_.size();
  if (*end != '\n' && (*end != '\r' || end[1] != '\n')) return false;
  if (record_.empty() || record_.front() == ' ' || record_.back() == ' ') return false;
  has_quotes_ = all_quotes != 0;
  return !has_quotes_ || match_quotes();
}

template <bool kOurs>
bool CsvSpans::index(const CsvDialect& dialect) {
  const char separator = kOurs ? ',' : dialect.separator;
  // A dialect without quotes has no such byte: ours then stands in for it.
  const char quote = dialect.quote == '\0' ? '"' : dialect.quote;
  const char* at = record_.data();
  std::size_t left = record_.size();
  std::uint64_t all_quotes = 0;
  std::uint64_t all_others = 0;
  for (std::size_t word = 0; word < words_; ++word, at += 64) {
    std::uint64_t separators = 0;
    std::uint64_t quotes = 0;
    std::uint64_t others = 0;
    for (unsigned shift = 0; shift < 64 && shift <= left; shift += 16) {
      const SixteenBytes bytes(at + shift);
      const auto mark = [shift](std::uint32_t bits) { return std::uint64_t{bits} << shift; };
      separators |= mark(bytes.equal(separator));
      others |= mark(bytes.equal('\r'));
      if constexpr (kOurs) {
        quotes |= mark(bytes.equal('"'));
      } else {
        others |= mark(bytes.equal(quote) | bytes.equal('"'));
        if (separator != ',') others |= mark(bytes.equal(','));
      }
    }
    if (left < 64) {
      const std::uint64_t end = std::uint64_t{1} << left;
      separators = (separators & (end - 1)) | end;
      quotes &= end - 1;
      others &= end - 1;
    }
    left -= 64;
    separators_[word] = separators;
    quotes_[word] = quotes;
    all_quotes |= quotes;
    all_others |= others;
  }
  has_quotes_ = all_quotes != 0;
  return all_others == 0;
}

bool CsvSpans::match_quotes() {
  std::uint64_t in_quotes = 0;  // all bits, if quotes are open from the word before
  std::uint64_t may_open = 1;   // at a word's first byte: a field begins, or quotes were closed
  std::uint64_t has_just_closed = 0;  // so there a separator, or the second of two quotes, follows
  for (std::size_t word = 0; word < words_; ++word) {
    const std::uint64_t quotes = quotes_[word];
    // Quotes that open are inside, those that close are not. Of a doubled quote the first closes
    // and the second opens again.
    const std::uint64_t inside = odd_up_to(quotes) ^ in_quotes;
    const std::uint64_t opening = quotes & inside;
    const std::uint64_t closing = quotes & ~inside;
    const std::uint64_t separators = separators_[word] & ~inside;
    if ((opening & ~((separators | closing) << 1 | may_open)) != 0) return false;
    if (((closing << 1 | has_just_closed) & ~(separators | opening)) != 0) return false;
    in_quotes = std::uint64_t{0} - (inside >> 63);
    may_open = (separators | closing) >> 63;
    has_just_closed = closing >> 63;
    separators_[word] = separators;
  }
  // Open quotes have taken the bit of the record's end away.
  return (separators_[words_ - 1] >> (record_.size() % 64)) != 0;
}

std::size_t CsvSpans::count_separators() const {
  std::size_t count = 0;
  for (std::size_t word = 0; word < words_; ++word) {
    count += count_bits(separators_[word]);
  }
  return count;
}

std::string_view CsvSpans::written(std::string& scratch) const {
  if (is_ours_ && !has_quotes_) return record_;
  if (!is_ours_) {
    // No field of it holds what needs quotes.
    scratch.assign(record_);
    Fields all = fields();
    for (std::size_t left = count(); left > 1; --left) {
      const std::string_view field = all.next();
      scratch[static_cast<std::size_t>(field.data() + field.size() - record_.data())] = ',';
    }
    return scratch;
  }
  scratch.clear();
  const char* from = record_.data();
  const char* const record_end = from + record_.size();
  Fields all = fields();
  for (const char* end = nullptr; end != record_end;) {
    const std::string_view field = all.next();
    end = field.data() + field.size();
    if (field.empty() || field.front() != '"') continue;
    const std::string_view value = field.substr(1, field.size() - 2);
    if (wants_csv_quotes(value)) continue;
    scratch.append(from, field.data()).append(value);
    from = end;
  }
  if (from == record_.data()) return record_;
  return scratch.append(from, record_end);
}

}  // namespace caravel::formatter
