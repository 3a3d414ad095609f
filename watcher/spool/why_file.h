// NAME.why in failed/: why the file beside it could not be taken.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "watcher/spool/claim.h"
#include "watcher/spool/spool.h"

namespace caravel::watcher {

/// The explanation of one claim in failed/. Its last line is "claim: <claim id>": by that mark a
/// repetition after a crash knows which .why is its own. The spool must outlive it.
class WhyFile {
 public:
  /// `text` may hold foreign text: it is escaped and bounded here.
  WhyFile(const Spool& spool, const Claim& claim, std::string_view text);

  /// Publishes the explanation as `name`, durable on return. False if the .why of another claim has
  /// that name; our own, from before a crash, is replaced.
  [[nodiscard]] Result<bool> publish(const std::string& name);
  /// Takes back what publish() wrote: the file did not go there after all.
  void withdraw(const std::string& name) const;
  /// Adds a line to the text; takes effect with the next publish().
  void append_line(std::string_view text);
  void remove_temporary() const { withdraw(temporary_); }

  /// Whether `name` is the .why of this claim.
  [[nodiscard]] bool is_ours(const std::string& name) const;

 private:
  Result<> write_temporary() const;

  int directory_;
  std::string temporary_;
  std::string mark_;
  std::string text_;
};

}  // namespace caravel::watcher
