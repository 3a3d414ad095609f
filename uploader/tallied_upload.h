// What every upload keeps of the rows that it has brought to an end.
#pragma once

#include <string>
#include <vector>

#include "uploader/store.h"

namespace caravel::uploader {

/// An Upload that keeps its counts, refused rows and notes, as all of ours do. A store writes
/// run().
class TalliedUpload : public Upload {
 public:
  [[nodiscard]] const UploadCounts& counts() const override { return counts_; }
  [[nodiscard]] const std::vector<RefusedRow>& refused() const override { return refused_; }
  [[nodiscard]] bool must_restart() const override { return must_restart_; }
  [[nodiscard]] bool csv_failed() const override { return csv_failed_; }
  [[nodiscard]] const std::vector<std::string>& notes() const override { return notes_; }

 protected:
  /// These rows have reached their end: from here on they are never sent again.
  void acknowledge(const UploadCounts& counts, std::vector<RefusedRow> refused);
  [[nodiscard]] std::uint64_t acknowledged() const { return counts_.acknowledged(refused_.size()); }
  [[nodiscard]] std::uint64_t refused_lines() const { return lines_of(refused_); }
  void note(std::string text) { notes_.push_back(std::move(text)); }
  /// See Upload::must_restart().
  void demand_restart() { must_restart_ = true; }
  /// The same, because the next row cannot be read: see Upload::csv_failed().
  void give_up_csv() { must_restart_ = csv_failed_ = true; }

 private:
  UploadCounts counts_;
  std::vector<RefusedRow> refused_;
  std::vector<std::string> notes_;
  bool must_restart_ = false;
  bool csv_failed_ = false;
};

}  // namespace caravel::uploader
