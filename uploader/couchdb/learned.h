// What a store has learned of its server from its replies. It outlives the uploads: the next
// extract need not learn it again.
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>

#include "uploader/couchdb/database.h"
#include "uploader/couchdb/lookups.h"

namespace caravel::uploader {

class Learned {
 public:
  /// `database` outlives it.
  explicit Learned(const CouchDatabase& database) : lookups(database) {}

  Lookups lookups;

  /// What one bulk request may hold. A larger one was refused with 413, and nobody named a
  /// document: a proxy's limit, max_http_request_size or max_bulk_docs_count.
  [[nodiscard]] std::size_t most_rows() const { return most_rows_; }
  [[nodiscard]] std::size_t most_bytes() const { return most_bytes_; }
  void too_many_rows(std::size_t rows) {
    most_rows_ = std::min(most_rows_, std::max<std::size_t>(1, rows / 2));
    passed_ = 0;
  }
  void too_many_bytes(std::size_t bytes) {
    most_bytes_ = std::min(most_bytes_, std::max<std::size_t>(1, bytes / 2));
    passed_ = 0;
  }
  /// A limit that a person has mended, or that was a passing fault, must not last for ever: after
  /// so many requests twice as much is tried.
  void request_passed() {
    if (++passed_ < kTryMoreAfter) return;
    passed_ = 0;
    if (most_rows_ <= kNoLimit / 2) most_rows_ *= 2;
    if (most_bytes_ <= kNoLimit / 2) most_bytes_ *= 2;
  }

  /// How many uploads in a row found that their database was made anew under them.
  unsigned started_over = 0;

 private:
  static constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();
  static constexpr unsigned kTryMoreAfter = 100;

  std::size_t most_rows_ = kNoLimit;
  std::size_t most_bytes_ = kNoLimit;
  unsigned passed_ = 0;
};

}  // namespace caravel::uploader
