// How a store asks its server which of some ids are there, and whose they are.
//
// CouchDB has two ways. For 1,000 ids a CouchDB 3.5.0 spent 171 to 181 ms of its processor on
// _bulk_get and 616 to 925 ms on _all_docs with keys, so the first is taken where the server knows
// it. Some servers and proxies do not: there it is _all_docs.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/stop_signal.h"
#include "uploader/couchdb/database.h"
#include "uploader/couchdb/documents/found.h"

namespace caravel::uploader {

/// What one store has learned of how its server answers questions; its uploads share it.
class Lookups {
 public:
  enum class Way { bulk_get, all_docs };

  /// One request. It must stay where it is until its reply is there.
  struct Question {
    Way way = Way::bulk_get;
    std::string url;
    std::string body;
    std::vector<std::string_view> ids;
  };

  /// `database` outlives it.
  explicit Lookups(const CouchDatabase& database) : database_(database) {}

  /// How many ids a question may be about: fewer after a reply that was too long or
  /// too late.
  [[nodiscard]] std::size_t most_ids() const { return most_ids_; }

  /// Asks about `ids`, all different, which must stay as long as the question.
  [[nodiscard]] Question question(std::vector<std::string_view> ids) const;
  [[nodiscard]] HttpRequest request(const Question& question) const;
  /// The answers in the order of the question's ids. Nothing: ask again, in another way or about
  /// fewer. Errors: those of the reply.
  [[nodiscard]] Result<std::optional<std::vector<Found>>> read(const Question& question,
                                                               const HttpReply& reply);

  /// Looks `ids` up and waits for the answers, however many questions that takes. Nothing else may
  /// be in flight. A document that alone is larger than any of ours is there and has no origin.
  [[nodiscard]] Result<std::vector<Found>> look_up(const std::vector<std::string_view>& ids,
                                                   const StopSignal& stop);
  /// Of `ids`: those that the database has never heard of. A deleted document is none of them.
  [[nodiscard]] Result<std::vector<std::string_view>> never_there(
      const std::vector<std::string_view>& ids, const StopSignal& stop);

 private:
  // The reply holds whole documents, and nothing says how large they are.
  static constexpr std::size_t kMostIds = 1000;
  // The dearer way is left after so many good answers, in case the other one works by now.
  static constexpr unsigned kTryBulkGetAfter = 100;

  [[nodiscard]] Question question(std::vector<std::string_view> ids, Way way) const;

  const CouchDatabase& database_;
  std::size_t most_ids_ = kMostIds;
  Way way_ = Way::bulk_get;
  unsigned answers_ = 0;  // since the way was changed
};

}  // namespace caravel::uploader
