// Rows as rows of an SQLite file. docs/sqlite-store.md is the page of what it stores.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "uploader/sqlite/sqlite.h"
#include "uploader/store.h"

namespace caravel::uploader {

inline constexpr const char* kFeedsTable = "_feeds";
inline constexpr const char* kMappingsTable = "_mappings";

class SqliteStore : public Store {
 public:
  explicit SqliteStore(const StoreConfig& config) : config_(config) {}

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

  [[nodiscard]] const StoreConfig& config() const { return config_; }

  /// The open file, opened again if its path leads elsewhere by now. Makes the file, and the
  /// directory it is in, if they are missing and `may_create`; else null.
  [[nodiscard]] Result<SqliteFile*> open(bool may_create);
  /// How often open() opened a file: another number means another file, maybe.
  [[nodiscard]] std::uint64_t times_opened() const { return times_opened_; }

 private:
  /// The file if it is there and has `table`; else null.
  [[nodiscard]] Result<SqliteFile*> open_with(std::string_view table);

  StoreConfig config_;
  std::unique_ptr<SqliteFile> file_;
  std::uint64_t times_opened_ = 0;
};

}  // namespace caravel::uploader
