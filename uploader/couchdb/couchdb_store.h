// Rows as documents in CouchDB. docs/couchdb-store.md is the page of what it stores.
#pragma once

#include <memory>

#include "uploader/couchdb/couch_database.h"
#include "uploader/store.h"

namespace caravel::uploader {

class CouchStore : public Store {
 public:
  CouchStore(const StoreConfig& config, std::unique_ptr<HttpTransport> transport);

  [[nodiscard]] Result<std::string> check(bool may_create) override;
  [[nodiscard]] std::unique_ptr<Upload> start(ExtractInfo extract, formatter::RowReader rows,
                                              UploadOptions options) override;
  [[nodiscard]] Result<std::optional<StoredDocument>> find(const std::string& id) override;
  [[nodiscard]] Result<> for_each_row_of(
      const std::string& feed, const std::string& extract,
      const std::function<void(const StoredDocument&)>& visit) override;
  [[nodiscard]] Result<std::uint64_t> remove_rows(const std::string& feed,
                                                  const std::string& extract,
                                                  const std::vector<std::string>& ids) override;
  [[nodiscard]] Result<bool> put_mapping(const Mapping& mapping, bool may_create) override;

 private:
  [[nodiscard]] Result<std::uint64_t> remove_some(const std::string& extract,
                                                  const std::vector<std::string_view>& ids);
  /// A POST whose reply is good, or its error.
  [[nodiscard]] Result<HttpReply> post(const std::string& path, const std::string& body,
                                       std::size_t max_reply_bytes);

  std::unique_ptr<HttpTransport> transport_;
  CouchDatabase database_;
  StopSignal never_;  // for the calls that nobody stops: they end by their timeout
};

}  // namespace caravel::uploader
