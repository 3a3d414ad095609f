// Messages for people: what happened is said each time, what lasts is said once.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace caravel {

/// Collects messages until somebody takes them.
///
/// An event happens at one moment: say(). A condition lasts and is noticed again and again: set()
/// says it when it begins and when its text changes, clear() ends it. A condition that ended is
/// said again when it comes back, also in the same words. What a condition is about, its subject,
/// is never shown, so it may hold any bytes.
///
/// Subjects may be names that other people choose, so their number is bounded: while `most`
/// conditions last, a further one is neither remembered nor said, and one message says that there
/// are more. That message may come again once half of them are over. What is said between two calls
/// of take() is bounded too: of more than `most` messages, only their number is kept.
///
/// Not for use by several threads.
class Notices {
 public:
  static constexpr std::size_t kMostConditions = 1000;

  explicit Notices(std::size_t most = kMostConditions) : most_(most) {}

  void say(std::string text);

  void set(std::string_view subject, const std::string& text);
  /// Says `text` if the condition lasted until now; an empty text ends it without a word.
  void clear(std::string_view subject, const std::string& text = {});
  /// Ends, without a word, all conditions whose subject is `over`: the file that a condition is
  /// about may vanish, and then nobody finds it in order again.
  void clear_if(const std::function<bool(const std::string& subject)>& over);

  /// Whether a condition lasts.
  [[nodiscard]] bool any() const { return !conditions_.empty(); }
  /// How many conditions are remembered.
  [[nodiscard]] std::size_t size() const { return conditions_.size(); }
  /// What was said since the last call, in that order.
  [[nodiscard]] std::vector<std::string> take();

 private:
  void note_room();

  std::size_t most_;
  std::map<std::string, std::string, std::less<>> conditions_;  // subject -> what was said of it
  std::vector<std::string> said_;
  std::size_t unsaid_ = 0;  // messages beyond `most_` since the last take()
  bool told_of_more_ = false;
};

}  // namespace caravel
