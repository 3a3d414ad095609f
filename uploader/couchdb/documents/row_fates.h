// What has become of the rows of one batch: who is stored, who is refused, what that counts.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "uploader/couchdb/documents/batch_reader.h"
#include "uploader/store.h"
#include "uploader/verdict.h"

namespace caravel::uploader {

/// Rows are named by their place in Batch::rows. A row that repeats another of the batch was never
/// sent: it follows from what became of the first one.
class RowFates {
 public:
  /// A batch of fewer rows may well be all bad while the store is good.
  static constexpr std::size_t kSpeakForAll = 20;

  enum class Refusal : std::uint8_t {
    content,  // by a validation function, or as the culprit of a 400
    size,     // alone in its request, and still a 413
  };

  /// `batch` outlives it.
  explicit RowFates(const Batch& batch) : batch_(batch), rows_(batch.rows.size()) {}

  void settle(std::uint32_t row, Verdict verdict);
  void refuse(std::uint32_t row, Refusal why, std::string reason);
  /// Takes the refusals back: which rows must be sent again.
  [[nodiscard]] std::vector<std::uint32_t> forget_refusals();

  // When every row that was sent is settled or refused:

  [[nodiscard]] UploadCounts counts() const;
  /// With the rows that could not be documents, in the order of their lines.
  [[nodiscard]] std::vector<RefusedRow> refused() const;
  [[nodiscard]] std::size_t refused_by_store() const;
  /// Repetitions do not count: what the store says of one row it says once.
  [[nodiscard]] std::size_t rows_sent() const;
  /// Was every row that was sent refused? With `for_content`: for what is in it, not for its size?
  [[nodiscard]] bool all_refused(bool for_content) const;
  /// Whether any row is settled by now.
  [[nodiscard]] bool any_settled() const;
  /// The reason of any refused row, for a message.
  [[nodiscard]] std::string a_reason() const;

 private:
  enum class State : std::uint8_t { open, settled, refused };
  struct Fate {
    State state = State::open;
    Verdict verdict = Verdict::stored;   // of a settled one
    Refusal refusal = Refusal::content;  // of a refused one
    std::string reason;
  };
  [[nodiscard]] bool is_refused(std::size_t row) const {
    return rows_[row].state == State::refused;
  }
  [[nodiscard]] bool was_sent(std::size_t row) const {
    return batch_.rows[row].repeats == BatchRow::kFirst;
  }

  const Batch& batch_;
  std::vector<Fate> rows_;
};

}  // namespace caravel::uploader
