// The feed document of one extract on its way into CouchDB, with the CSV as its attachment.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "formatter/rows/sidecar.h"
#include "uploader/couchdb/database.h"
#include "uploader/feed_fields.h"

namespace caravel::uploader {

/// Sends it after the last row, when every row of the extract has its place.
class FeedUpload {
 public:
  /// `database` and `missing` outlive it.
  FeedUpload(const CouchDatabase& database, MissingDatabase& missing, ExtractInfo extract,
             bool reprocess);

  /// `refused`: rows that the store refused. True if the document was made, false if it was there
  /// already, changed or not. After an error it may be called again.
  [[nodiscard]] Result<bool> send(const formatter::RowReader& rows, std::uint64_t refused,
                                  const StopSignal& stop);

  /// What a person should know of the last send(): once.
  [[nodiscard]] std::optional<std::string> take_note() { return std::exchange(note_, {}); }

 private:
  [[nodiscard]] Result<std::optional<std::string>> update_of_stored(
      const std::string& id, const std::vector<FeedField>& fields, const StopSignal& stop);
  [[nodiscard]] Result<> give_attachment_up(const std::string& id, const HttpReply& reply);
  /// `documents: feed`: the attachment is all that is stored of the rows.
  [[nodiscard]] bool holds_the_rows() const {
    return database_.config().documents == Documents::feed;
  }

  const CouchDatabase& database_;
  MissingDatabase& missing_;
  ExtractInfo extract_;
  bool reprocess_;
  bool attach_;  // until the server refused it
  std::optional<std::string> note_;
};

}  // namespace caravel::uploader
