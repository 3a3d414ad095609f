// What `caravel check` found.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace caravel::watcher {

struct Finding {
  enum class Kind { good, note, fault };
  Kind kind = Kind::good;
  /// A fault says what, where, and what to do.
  std::string text;
};

/// A fault is what would keep the service from its work; a note is what a person should know. In
/// the order in which they were found.
class Findings {
 public:
  void good(std::string text) { all_.push_back({Finding::Kind::good, std::move(text)}); }
  void note(std::string text) { all_.push_back({Finding::Kind::note, std::move(text)}); }
  void fault(std::string text) { all_.push_back({Finding::Kind::fault, std::move(text)}); }

  [[nodiscard]] const std::vector<Finding>& all() const { return all_; }
  [[nodiscard]] bool any_fault() const {
    return std::ranges::any_of(
        all_, [](const Finding& finding) { return finding.kind == Finding::Kind::fault; });
  }

 private:
  std::vector<Finding> all_;
};

}  // namespace caravel::watcher
