// What a store lacks of an extract that it acknowledged: the question of `process --verify`.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/stop_signal.h"
#include "formatter/rows/sidecar.h"

namespace caravel::uploader {

/// The answer for one extract. A row that was deleted in the store is missing like one that never
/// arrived: nothing tells a loss from a deletion.
struct Missing {
  std::uint64_t asked = 0;  // ids of rows; a line that the extract has twice is one id
  std::uint64_t rows = 0;   // of these, the ones that are not there
  std::uint64_t lines = 0;  // that these rows take
  bool feed_document = false;
  std::vector<std::string> examples;  // ids of the first rows that are not there, three at most

  [[nodiscard]] bool any() const { return rows > 0 || feed_document; }
};

/// Which of `ids` are in the store, in their order: one answer for each. The ids all differ.
using AskForIds = std::function<Result<std::vector<bool>>(const std::vector<std::string>& ids)>;

/// Asks for each row of an extract of `feed`, at most `at_once` ids in one call. `rows` is at its
/// first row. `feed_document` of the answer is the caller's to set. Errors: those of `ask` and of
/// reading; kind stopped if `stop` is requested between two calls.
[[nodiscard]] Result<Missing> ask_for_rows(const std::string& feed, formatter::RowReader rows,
                                           std::size_t at_once, const StopSignal& stop,
                                           const AskForIds& ask);

}  // namespace caravel::uploader
