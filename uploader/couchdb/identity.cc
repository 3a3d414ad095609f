#include "uploader/couchdb/identity.h"

#include <optional>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "uploader/couchdb/documents/replies.h"
#include "uploader/http/answer.h"

namespace caravel::uploader {
namespace {

using nlohmann::json;

/// The start time in the facts of a database; "" if it tells nothing. Nothing at all if `body` does
/// not hold the facts of a database.
std::optional<std::string> start_time_in(std::string_view body) {
  const auto facts = parse_reply(body);
  if (!facts || string_at(*facts, "db_name").empty()) return {};
  const auto time = facts->find("instance_start_time");
  if (time == facts->end()) return "";
  // CouchDB writes a string, and other servers of its protocol a number.
  std::string text = time->is_number() ? time->dump() : string_at(*facts, "instance_start_time");
  return text == "0" ? std::string() : shortened(text);
}

}  // namespace

Result<DatabaseIdentity::Look> DatabaseIdentity::look(const StopSignal& stop) {
  const std::string url = database_.url();
  CARAVEL_ASSIGN_OR_RETURN(reply_,
                           database_.call(database_.request("GET", url, {}, kReplyBytes), stop));
  const Answer answer = answer_of_status(reply_.status);
  if (answer == Answer::missing) return Look::missing;
  auto told = answer == Answer::good ? start_time_in(reply_.body) : std::nullopt;
  if (!told) {
    // Somebody who never told (a proxy that lets only some requests through) is no witness, and
    // what follows says what is wrong. Who told before and does not now is not the same server.
    const bool says_why = answer == Answer::wait || reply_.status == 401 || reply_.status == 403;
    if (!says_why && first_.empty()) return Look::same;
    return tl::unexpected(database_.error_of("GET", url, reply_));
  }
  if (told->empty()) return Look::same;
  now_ = *std::move(told);
  if (first_.empty()) first_ = now_;
  return now_ == first_ ? Look::same : Look::changed;
}

std::string DatabaseIdentity::difference() const {
  return fmt::format("instance_start_time {}, before {}", now_, first_);
}

}  // namespace caravel::uploader
