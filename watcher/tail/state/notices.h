// Messages that are said once, and again when they change.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace caravel::tail {

class Notices {
 public:
  /// An event: always said.
  void say(std::string text) { pending_.push_back(std::move(text)); }

  /// A condition: said when it begins and when its text changes.
  void set(std::string_view subject, const std::string& text) {
    for (auto& [known, said] : conditions_) {
      if (known != subject) continue;
      if (said != text) say(text);
      said = text;
      return;
    }
    conditions_.emplace_back(subject, text);
    say(text);
  }
  /// The condition is over: `text` is said if there was one.
  void clear(std::string_view subject, const std::string& text) {
    for (auto it = conditions_.begin(); it != conditions_.end(); ++it) {
      if (it->first != subject) continue;
      conditions_.erase(it);
      say(text);
      return;
    }
  }
  [[nodiscard]] bool any() const { return !conditions_.empty(); }
  [[nodiscard]] std::vector<std::string> take() { return std::exchange(pending_, {}); }

 private:
  std::vector<std::pair<std::string, std::string>> conditions_;
  std::vector<std::string> pending_;
};

}  // namespace caravel::tail
