// spysocket -> CSV written by hand for this one format: what a program can do that knows the format
// when it is compiled. The same rows and checks as spysocket.awk, and as little covered beyond
// them.
//
//   anchor_spysocket YEAR FILE > CSV        rejects are counted on stderr
//
//   line --split()--> words --judge()--> the columns' places in the line --put()--> CSV
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#ifdef __AVX2__
#include <immintrin.h>
#endif

namespace {

using Word = std::string_view;

constexpr std::size_t kReadableBehind = 64;  // bytes that may be read behind the text
constexpr std::size_t kDateBytes = 16;       // YYYY-MM-DD, and what is behind it
constexpr std::size_t kMostWords = 22;       // one more than a line may have

/// The first blank, tab or line end from `at` on.
const char* end_of_word(const char* at) {
#ifdef __AVX2__
  for (;; at += 32) {
    const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
    const __m256i ends =
        _mm256_or_si256(_mm256_or_si256(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(' ')),
                                        _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('\t'))),
                        _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('\n')));
    const auto mask = static_cast<unsigned>(_mm256_movemask_epi8(ends));
    if (mask != 0) return at + __builtin_ctz(mask);
  }
#else
  while (*at != ' ' && *at != '\t' && *at != '\n') ++at;
  return at;
#endif
}

struct Line {
  std::array<Word, kMostWords> words;
  std::size_t count = 0;  // kMostWords: too many
};

/// Returns where the next line begins.
const char* split(const char* at, Line& line) {
  line.count = 0;
  for (;;) {
    while (*at == ' ' || *at == '\t') ++at;
    if (*at == '\n') return at + 1;
    const char* const end = end_of_word(at);
    if (line.count < kMostWords) {
      line.words[line.count++] = Word(at, static_cast<std::size_t>(end - at));
    }
    at = end;
  }
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_number(Word word) {
  if (!word.empty() && word[0] == '-') word.remove_prefix(1);
#ifdef __AVX2__
  if (!word.empty() && word.size() <= 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(word.data()));
    const __m128i values = _mm_sub_epi8(bytes, _mm_set1_epi8('0'));
    const __m128i digits = _mm_cmpeq_epi8(_mm_min_epu8(values, _mm_set1_epi8(9)), values);
    const auto others = ~static_cast<unsigned>(_mm_movemask_epi8(digits));
    return (others & ((1U << word.size()) - 1)) == 0;
  }
#endif
  for (const char c : word) {
    if (!is_digit(c)) return false;
  }
  return !word.empty();
}

/// Whether `word` begins with `label`. The label's size is known to the compiler, so that no call
/// of memcmp(3) is left; behind each word enough bytes are readable.
template <std::size_t N>
bool begins(Word word, const char (&label)[N]) {
  return std::memcmp(word.data(), label, N - 1) == 0 && word.size() >= N - 1;
}

template <std::size_t N>
bool is(Word word, const char (&text)[N]) {
  return word.size() == N - 1 && std::memcmp(word.data(), text, N - 1) == 0;
}

/// `word` without its label; false if it has another, or if no integer stands behind it.
template <std::size_t N>
bool integer(Word word, const char (&label)[N], Word& value) {
  if (!begins(word, label)) return false;
  value = Word(word.data() + N - 1, word.size() - (N - 1));
  return is_number(value);
}

bool is_time(Word word) {
  if (word.size() != 8 || word[2] != ':' || word[5] != ':') return false;
  for (const std::size_t at : {0, 1, 3, 4, 6, 7}) {
    if (!is_digit(word[at])) return false;
  }
  const int hour = (word[0] - '0') * 10 + word[1] - '0';
  const int second = (word[6] - '0') * 10 + word[7] - '0';
  return hour < 24 && word[3] < '6' && second <= 60;
}

bool is_bracketed(Word word) {
  return word.size() >= 2 && word.front() == '[' && word.back() == ']';
}

char flag(Word word) { return is(word, "[Valid]") ? 'V' : 'I'; }

class Formatter {
 public:
  explicit Formatter(const char* year) : year_(year) {
    const int number = std::atoi(year);
    leap_ = (number % 4 == 0 && number % 100 != 0) || number % 400 == 0;
    out_.resize(1 << 20);
  }

  void line(const Line& line) {
    const Verdict verdict = judge(line);
    if (verdict == Verdict::reject) ++rejected_;
    if (verdict == Verdict::keep) put(line);
  }
  void header() {
    constexpr Word kHeader(
        "Date,Time,Vehicle,Lat,Lon,Location Valid/Invalid,Adherence,Adherence Valid/Invalid,"
        "Route,Direction,Stop\n");
    std::memcpy(out_.data(), kHeader.data(), kHeader.size());
    used_ = kHeader.size();
  }
  void flush() {
    for (std::size_t sent = 0; sent < used_;) {
      const ssize_t now = ::write(STDOUT_FILENO, out_.data() + sent, used_ - sent);
      if (now <= 0) std::exit(1);
      sent += static_cast<std::size_t>(now);
    }
    used_ = 0;
  }
  [[nodiscard]] unsigned long rejected() const { return rejected_; }

 private:
  enum class Verdict { keep, drop, reject };

  Verdict judge(const Line& line) {
    const auto& words = line.words;
    route_ = direction_ = stop_ = {};
    if (line.count < 5 || !is_time(words[0]) || !is_date(words[1])) return Verdict::reject;
    bool dwell = false;
    if (line.count == 13 && is(words[4], "MT_LOCATION")) {
      position_ = 5;
    } else if (line.count == 21 && is(words[4], "MT_TIMEPOINTCROSSING") &&
               is_crossing(line, dwell)) {
      position_ = 13;
    } else {
      return Verdict::reject;
    }
    bool fix = true;
    if (!is_position(line, fix)) return Verdict::reject;
    return fix && !dwell ? Verdict::keep : Verdict::drop;
  }

  bool is_crossing(const Line& line, bool& dwell) {
    const auto& words = line.words;
    Word ignored;
    dwell = !is(words[6], "Arrival");
    return begins(words[5], "Time:") && is_time(words[5].substr(5)) &&
           (!dwell || integer(words[6], "Dwell:", ignored)) && integer(words[7], "Rte:", route_) &&
           integer(words[8], "Dir:", direction_) && integer(words[9], "TP:", ignored) &&
           integer(words[10], "Stop:", stop_) && integer(words[11], "Svc:", ignored) &&
           integer(words[12], "Blk:", ignored);
  }

  bool is_position(const Line& line, bool& fix) {
    const Word* const words = &line.words[position_];
    Word ignored;
    if (!begins(words[0], "Lat/Lon:") || !is_bracketed(words[1]) ||
        !integer(words[2], "Adher:", adherence_) || !is_bracketed(words[3]) ||
        !integer(words[4], "Odom:", ignored) || !is_bracketed(words[5]) ||
        (!is(words[6], "DGPS:On") && !is(words[6], "DGPS:Off")) ||
        !integer(words[7], "FOM:", ignored)) {
      return false;
    }
    const Word both = words[0].substr(8);
    fix = !is(both, "0/0");
    if (!fix) return true;
    const std::size_t slash = both.find('/');
    if (slash == Word::npos) return false;
    lat_ = both.substr(0, slash);
    lon_ = both.substr(slash + 1);
    return is_coordinate(lat_) && is_coordinate(lon_);
  }

  static bool is_coordinate(Word word) {
    return is_number(word) && word.size() > (word[0] == '-' ? 3U : 2U);
  }

  bool is_date(Word word) {
    if (last_day_.size() == word.size() && std::memcmp(word.data(), last_day_.data(), 5) == 0)
      return true;  // a log's lines are mostly of one day
    static constexpr std::array kDays{0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (word.size() != 5 || word[2] != '/' || !is_digit(word[0]) || !is_digit(word[1]) ||
        !is_digit(word[3]) || !is_digit(word[4])) {
      return false;
    }
    const auto month = static_cast<std::size_t>((word[0] - '0') * 10 + word[1] - '0');
    const int day = (word[3] - '0') * 10 + word[4] - '0';
    if (month < 1 || month > 12 || day < 1 || day > kDays[month] + (month == 2 && leap_ ? 1 : 0)) {
      return false;
    }
    last_day_ = word;
    date_ = year_ + "-" + last_day_.substr(0, 2) + "-" + last_day_.substr(3) + ",";
    date_.resize(kDateBytes);
    return true;
  }

  void put(const Line& line) {
    constexpr std::size_t kMostOfRow = 1 << 16;  // words of a line as the generator makes them
    if (out_.size() - used_ < kMostOfRow) flush();
    const Word* const words = &line.words[position_];
    text({date_.data(), kDateBytes - 5});
    column(line.words[0]);
    column(line.words[2]);
    coordinate(lat_);
    coordinate(lon_);
    letter(flag(words[1]));
    column(adherence_);
    letter(flag(words[3]));
    column(route_);
    column(direction_);
    column(stop_);
    out_[used_ - 1] = '\n';
  }

  /// Copies 16 bytes at a time, and so up to 15 too many: both buffers have room behind their text.
  void text(Word word) {
    for (std::size_t at = 0; at < word.size(); at += 16) {
      std::memcpy(out_.data() + used_ + at, word.data() + at, 16);
    }
    used_ += word.size();
  }
  void letter(char c) {
    out_[used_++] = c;
    out_[used_++] = ',';
  }
  void column(Word word) {
    text(word);
    out_[used_++] = ',';
  }
  /// The point was left out after two digits.
  void coordinate(Word word) {
    const std::size_t whole = word[0] == '-' ? 3 : 2;
    text(word.substr(0, whole));
    out_[used_++] = '.';
    column(word.substr(whole));
  }

  std::string year_;
  bool leap_ = false;
  std::string last_day_;
  std::string date_;  // of that day, with the comma behind it, and NULs behind that for text()
  std::size_t position_ = 0;
  Word route_, direction_, stop_, adherence_, lat_, lon_;
  std::string out_;
  std::size_t used_ = 0;
  unsigned long rejected_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const int file = open(argv[2], O_RDONLY | O_CLOEXEC);
  if (file < 0) return 1;
  Formatter formatter(argv[1]);
  formatter.header();
  std::string buffer(1 << 20, '\0');
  std::size_t kept = 0;  // bytes of a line whose end was not read yet
  for (;;) {
    if (buffer.size() - kept < 2 * kReadableBehind) buffer.resize(2 * buffer.size());
    const ssize_t got = read(file, buffer.data() + kept, buffer.size() - kept - kReadableBehind);
    if (got <= 0) break;
    const std::size_t all = kept + static_cast<std::size_t>(got);
    const auto* last = static_cast<const char*>(memrchr(buffer.data(), '\n', all));
    const char* at = buffer.data();
    Line line;
    while (last != nullptr && at <= last) {
      at = split(at, line);
      formatter.line(line);
    }
    kept = static_cast<std::size_t>(buffer.data() + all - at);
    std::memmove(buffer.data(), at, kept);
  }
  formatter.flush();
  if (formatter.rejected() != 0) std::fprintf(stderr, "%lu rejected\n", formatter.rejected());
}
