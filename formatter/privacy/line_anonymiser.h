// A line in, its anonymous form out: what formats with `privacy` do before anything else.
//
//   a kind takes it      the values of its `privacy` captures are written anew, all else stays
//   no kind takes it     `unmatched: drop`   removed.h: its place, its length and the reason stay
//                        `unmatched: scrub`  without what looks like a person
//   not UTF-8, a NUL, cut off, not to be written anew: as with `unmatched: drop`
//
// Idempotent: what it wrote it leaves alone, so that a file may pass it twice, after a crash or
// because somebody gives in a file of done/. A line keeps its length, unless a hash makes it
// longer.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "formatter/formats/format.h"
#include "formatter/input/line_splitter.h"
#include "formatter/privacy/hash_keys.h"
#include "formatter/records/matcher.h"

namespace caravel::formatter {

class LineAnonymiser {
 public:
  /// All must outlive it. `format` has `privacy`.
  LineAnonymiser(const Format& format, const YearTable& years, const HashKeys& keys,
                 bool accept_unterminated)
      : format_(format),
        keys_(keys),
        accept_unterminated_(accept_unterminated),
        matcher_(format, years),
        again_(format, years) {}

  /// What stands in the place of `line` (or of a piece of one), without its line end; valid until
  /// the next call. The byte behind the line is written to and put back. Errors: those of the keys.
  [[nodiscard]] Result<std::string_view> rewrite(Line& line);

  /// Lines that were removed so far, and those of them whose salt was forgotten.
  [[nodiscard]] std::uint64_t removed() const { return removed_; }
  [[nodiscard]] std::uint64_t forgotten() const { return forgotten_; }
  /// The day of the first of these, YYYYMMDD.
  [[nodiscard]] const std::string& forgotten_day() const { return forgotten_day_; }

 private:
  [[nodiscard]] Result<std::string_view> rewrite_kind(const Kind& kind, std::uint32_t index,
                                                      std::string_view text);
  [[nodiscard]] Result<> append_value(const Kind& kind, const PrivacyAct& act, std::string& out);
  [[nodiscard]] std::string_view rewrite_unmatched(std::string_view text, std::string_view trimmed,
                                                   const std::string& reason);
  /// Whether `line` is of this kind, or of any; captures are in again_.
  [[nodiscard]] bool matches(std::string_view line);
  [[nodiscard]] bool is_as_written(const Kind& kind, std::uint32_t index);
  [[nodiscard]] std::string_view remove(std::string_view reason, std::size_t length);

  const Format& format_;
  const HashKeys& keys_;
  const bool accept_unterminated_;
  Matcher matcher_;
  Matcher again_;  // for what was written
  std::uint32_t again_kind_ = 0;
  std::string out_;
  std::string scratch_;
  std::string day_;       // of the line
  bool no_salt_ = false;  // the one of the line is forgotten
  std::uint64_t removed_ = 0;
  std::uint64_t forgotten_ = 0;
  std::string forgotten_day_;
};

}  // namespace caravel::formatter
