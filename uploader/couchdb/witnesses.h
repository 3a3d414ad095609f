// Ids of rows that a server said it has: a few of all that it said. A row that a later look does
// not find, and that was never deleted, means that what was stored with it is lost.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace caravel::uploader {

/// At most kMost ids, spread evenly over all that were added.
class Witnesses {
 public:
  static constexpr std::size_t kMost = 1000;

  void add(std::vector<std::string> ids) {
    for (std::string& id : ids) {
      if (seen_++ % stride_ != 0) continue;
      ids_.push_back(std::move(id));
      if (ids_.size() < kMost) continue;
      // Every second one stays, and from now on half as many are taken.
      for (std::size_t i = 1; 2 * i < ids_.size(); ++i) ids_[i] = std::move(ids_[2 * i]);
      ids_.resize((ids_.size() + 1) / 2);
      stride_ *= 2;
    }
  }
  [[nodiscard]] std::size_t seen() const { return seen_; }
  /// Valid until the next add().
  [[nodiscard]] std::vector<std::string_view> ids() const { return {ids_.begin(), ids_.end()}; }

 private:
  std::vector<std::string> ids_;
  std::size_t stride_ = 1;
  std::size_t seen_ = 0;
};

}  // namespace caravel::uploader
