#include "uploader/couchdb/lookups.h"

#include <utility>

#include <fmt/format.h>

#include "uploader/http/answer.h"

namespace caravel::uploader {
namespace {

// In bytes. One document of CouchDB's default limit (max_document_size, 8 MB) fits.
constexpr std::size_t kLookupReplyBytes = 9 << 20;

/// Says a server that does not know the request. 404 is also what it says of a missing database;
/// then the other way says it once more.
bool says_unknown_request(int status) {
  switch (status) {
    case 400:
    case 404:
    case 405:
    case 406:
    case 415:
    case 501:
      return true;
    default:
      return false;
  }
}

}  // namespace

Lookups::Question Lookups::question(std::vector<std::string_view> ids) const {
  return question(std::move(ids), way_);
}

Lookups::Question Lookups::question(std::vector<std::string_view> ids, Way way) const {
  Question question;
  question.way = way;
  question.ids = std::move(ids);
  if (way == Way::bulk_get) {
    question.url = database_.url("/_bulk_get");
    question.body = bulk_get_body(question.ids);
  } else {
    question.url = database_.url("/_all_docs?include_docs=true");
    question.body = keys_body(question.ids);
  }
  return question;
}

HttpRequest Lookups::request(const Question& question) const {
  return database_.request("POST", question.url, question.body, kLookupReplyBytes);
}

Result<std::optional<std::vector<Found>>> Lookups::read(const Question& question,
                                                        const HttpReply& reply) {
  const bool too_long = reply.failure && reply.too_long;
  if ((too_long || took_too_long(reply)) && question.ids.size() > 1) {
    most_ids_ = std::max<std::size_t>(1, question.ids.size() / 2);
    if (too_long) return std::nullopt;
  }
  if (reply.failure || answer_of_status(reply.status) != Answer::good) {
    const bool unknown = !reply.failure && says_unknown_request(reply.status);
    if (unknown && question.way == Way::bulk_get) {
      way_ = Way::all_docs;
      answers_ = 0;
      return std::nullopt;
    }
    // Neither way works now, so nothing is learned of them: the database is missing, say.
    if (question.way == Way::all_docs) way_ = Way::bulk_get;
    return tl::unexpected(database_.error_of("POST", question.url, reply));
  }
  auto found = question.way == Way::bulk_get ? read_bulk_get_reply(reply.body, question.ids)
                                             : read_keys_reply(reply.body, question.ids);
  if (!found && question.way == Way::bulk_get) {
    // A page in its place, say. If that is what there is, the other way gets it too.
    way_ = Way::all_docs;
    answers_ = 0;
    return std::nullopt;
  }
  if (!found) {
    way_ = Way::bulk_get;
    return tl::unexpected(with_context(
        fmt::format("{}: POST {}", database_.config().name, question.url), found.error()));
  }
  // Whatever was between us and the server may be gone.
  if (++answers_ == kTryBulkGetAfter) way_ = Way::bulk_get;
  // The next documents may be small again.
  most_ids_ = std::min(kMostIds, most_ids_ * 2);
  return std::optional(*std::move(found));
}

Result<std::vector<Found>> Lookups::look_up(const std::vector<std::string_view>& ids,
                                            const StopSignal& stop) {
  std::vector<Found> all;
  while (all.size() < ids.size()) {
    const auto first = ids.begin() + static_cast<std::ptrdiff_t>(all.size());
    const std::size_t count = std::min(most_ids_, ids.size() - all.size());
    const Question asked = question({first, first + static_cast<std::ptrdiff_t>(count)});
    database_.transport().start(request(asked));
    auto reply = database_.transport().wait(stop);
    if (!reply) {
      database_.transport().cancel_all();
      return tl::unexpected(std::move(reply).error());
    }
    if (reply->failure && reply->too_long && count == 1) {
      Found large;
      large.id = *first;
      large.exists = true;
      all.push_back(std::move(large));
      continue;
    }
    CARAVEL_ASSIGN_OR_RETURN(auto found, read(asked, *reply));
    if (!found) continue;
    for (Found& one : *found) all.push_back(std::move(one));
  }
  return all;
}

/// _bulk_get is asked first because nearly all are there; only _all_docs tells a document that was
/// deleted from one that never was.
Result<std::vector<std::string_view>> Lookups::never_there(const std::vector<std::string_view>& ids,
                                                           const StopSignal& stop) {
  CARAVEL_ASSIGN_OR_RETURN(const auto found, look_up(ids, stop));
  std::vector<std::string_view> missing;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (!found[i].exists && !found[i].deleted) missing.push_back(ids[i]);
  }
  if (missing.empty()) return missing;
  const Question asked = question(missing, Way::all_docs);
  CARAVEL_ASSIGN_OR_RETURN(const auto reply, database_.call(request(asked), stop));
  if (answer_of_status(reply.status) != Answer::good) {
    return tl::unexpected(database_.error_of("POST", asked.url, reply));
  }
  CARAVEL_ASSIGN_OR_RETURN(const auto rows, read_keys_reply(reply.body, missing));
  std::vector<std::string_view> never;
  for (std::size_t i = 0; i < missing.size(); ++i) {
    if (!rows[i].exists && !rows[i].deleted) never.push_back(missing[i]);
  }
  return never;
}

}  // namespace caravel::uploader
