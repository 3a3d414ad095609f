// A whole extract made anonymous: bytes in, lines through LineAnonymiser, bytes out, packed as they
// came. One pass, constant memory.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/error.h"
#include "formatter/formats/format.h"
#include "formatter/input/input.h"
#include "formatter/output/monitor.h"
#include "formatter/output/output.h"
#include "formatter/privacy/hash_keys.h"

namespace caravel::formatter {

struct AnonymiseRequest {
  const Format& format;  // has `privacy`
  YearTable years;
  bool accept_unterminated = false;
  bool plain = false;                           // the output is not packed, whatever came
  std::size_t max_line = std::size_t{1} << 20;  // bytes
  /// As in FormatRequest.
  std::uint64_t max_unpacked = std::uint64_t{8} << 30;
  std::uint64_t max_ratio = 1000;
};

struct Anonymised {
  /// Of what came, if the Input computes any and nothing is damaged.
  Input::Digests original;
  std::uint64_t lines = 0;
  std::uint64_t removed = 0;    // lines of which nothing was kept
  std::uint64_t forgotten = 0;  // of these, those whose salt was forgotten
  std::string forgotten_day;    // of the first, YYYYMMDD
  /// Why the input could not be read to its end (kind content): it is damaged or too large. What
  /// was read until then is in the output, which is whole in itself.
  std::optional<Error> damage;
};

/// The output is flushed on success. Errors: stopped; of the keys; of reading and writing.
[[nodiscard]] Result<Anonymised> anonymise_extract(Input& input, const AnonymiseRequest& request,
                                                   const HashKeys& keys, Output& output,
                                                   const FormatMonitor& monitor = {});

}  // namespace caravel::formatter
