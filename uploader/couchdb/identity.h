// Whether a database is still the one that it was.
//
// A database that is deleted and made again answers 500 to the requests in flight, and then as if
// nothing had happened: only its `instance_start_time` tells (CouchDB documentation, "GET /{db}").
// CouchDB 2 to 3.1 says "0" for every database, and some servers say nothing: then nothing is
// known, and nothing compared.
#pragma once

#include <string>

#include "base/error.h"
#include "base/stop_signal.h"
#include "uploader/couchdb/database.h"

namespace caravel::uploader {

/// Of one upload: what it began with, and what it finds later.
class DatabaseIdentity {
 public:
  /// `database` outlives it.
  explicit DatabaseIdentity(const CouchDatabase& database) : database_(database) {}

  enum class Look {
    same,     // as far as the server tells
    changed,  // deleted and made again
    missing,  // 404: `reply()` has it
  };

  /// Asks the database who it is, and compares that with what it said first. Nothing else may be in
  /// flight. Errors: no answer, or one that is none; stopped.
  [[nodiscard]] Result<Look> look(const StopSignal& stop);

  /// What the last look brought.
  [[nodiscard]] const HttpReply& reply() const { return reply_; }
  /// In words: "instance_start_time 17…, before 16…".
  [[nodiscard]] std::string difference() const;

 private:
  const CouchDatabase& database_;
  HttpReply reply_;
  std::string first_;  // "" until a server told
  std::string now_;
};

}  // namespace caravel::uploader
