#include "base/notices.h"

#include <utility>

namespace caravel {

void Notices::say(std::string text) {
  // One more, for the message that there are more conditions than are named.
  if (said_.size() <= most_) {
    said_.push_back(std::move(text));
  } else {
    ++unsaid_;
  }
}

void Notices::set(std::string_view subject, const std::string& text) {
  const auto known = conditions_.find(subject);
  if (known != conditions_.end()) {
    // The same text is the same condition, noticed once more, and needs no word. Another text is
    // news.
    if (known->second != text) say(text);
    known->second = text;
    return;
  }
  if (conditions_.size() < most_) {
    conditions_.emplace(subject, text);
    say(text);
    return;
  }
  // To say a condition without remembering it would say it again at every look. To forget an older
  // one in its favour would do the same to that one.
  if (!std::exchange(told_of_more_, true)) {
    say("more than " + std::to_string(most_) +
        " faults last at once: further ones are not named until some of these are over");
  }
}

void Notices::clear(std::string_view subject, const std::string& text) {
  const auto known = conditions_.find(subject);
  // A condition that was not said, because too many lasted, ends without a word too.
  if (known == conditions_.end()) return;
  conditions_.erase(known);
  if (!text.empty()) say(text);
  note_room();
}

void Notices::clear_if(const std::function<bool(const std::string& subject)>& over) {
  std::erase_if(conditions_, [&](const auto& condition) { return over(condition.first); });
  note_room();
}

/// The message may come again only once half of the places are free: a single condition that comes
/// and goes must not repeat it each time.
void Notices::note_room() {
  if (conditions_.size() <= most_ / 2) told_of_more_ = false;
}

std::vector<std::string> Notices::take() {
  if (unsaid_ > 0) said_.push_back("and " + std::to_string(unsaid_) + " more messages at once");
  unsaid_ = 0;
  return std::exchange(said_, {});
}

}  // namespace caravel
