#include "uploader/sqlite/store.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/sqlite/transaction.h"
#include "uploader/feed_fields.h"
#include "uploader/json_text.h"
#include "uploader/row.h"
#include "uploader/sqlite/rows_file.h"
#include "uploader/sqlite/upload.h"

namespace caravel::uploader {
namespace {

// Rows of one transaction.
constexpr std::size_t kRemoveAtOnce = 1000;
// Ids of one question.
constexpr std::size_t kAskAtOnce = 1000;

/// The row that `row` stands at, as JSON; NULLs are left out.
std::string row_as_json(const Statement& row) {
  std::string text = "{";
  for (int i = 0; i < row.columns(); ++i) {
    if (row.is_null(i)) continue;
    if (text.size() > 1) text.push_back(',');
    append_json_string(row.column_name(i), text);
    text.push_back(':');
    if (row.is_integer(i)) {
      text.append(row.text_view(i));
    } else if (row.is_real(i)) {
      // The shortest digits that read back as the same double: those of the CSV, which survived
      // it. SQLite's own text would have no more than 15 of them.
      char digits[32];
      const auto end = std::to_chars(digits, digits + sizeof digits, row.real(i));
      text.append(digits, end.ptr);
    } else {
      append_json_string(row.text_view(i), text);
    }
  }
  text.push_back('}');
  return text;
}

/// The table that holds the document `id`. No feed is called "feed" or "mapping".
std::string table_of(const std::string& id) {
  const std::string first = id.substr(0, id.find(':'));
  return first == "feed" ? kFeedsTable : first == "mapping" ? kMappingsTable : first;
}

/// `of_extract`: the row is one of `_feeds`, which has the whole digest of its extract. A row of a
/// feed's table has the first 16 digits of it.
StoredDocument document_at(const Statement& row, const std::string& id, bool of_extract) {
  StoredDocument document;
  document.id = id;
  document.text = row_as_json(row);
  for (int i = 0; i < row.columns(); ++i) {
    const std::string_view name = row.column_name(i);
    if (of_extract && name == "sha256") document.extract = extract_tag(row.text_view(i));
    if (of_extract) continue;
    if (name == "_extract") document.extract = row.text(i);
    if (name == "_line") document.line = row.count(i);
    if (name == "_sum") document.sum = row.text(i);
  }
  return document;
}

/// Deletes in several transactions, because others must wait while one writes, and not for too
/// long. A crash between two of them leaves the other rows to the next --delete-stale.
Result<std::uint64_t> remove_in_turns(Sqlite& file, const std::string& feed,
                                      const std::string& extract,
                                      const std::vector<std::string>& ids) {
  CARAVEL_ASSIGN_OR_RETURN(
      auto statement,
      file.prepare(fmt::format("DELETE FROM {} WHERE _id = ? AND _extract = ?", sql_name(feed))));
  std::uint64_t removed = 0;
  for (std::size_t at = 0; at < ids.size(); at += kRemoveAtOnce) {
    CARAVEL_ASSIGN_OR_RETURN(auto transaction, Transaction::begin(file));
    const std::size_t end = std::min(ids.size(), at + kRemoveAtOnce);
    for (std::size_t i = at; i < end; ++i) {
      // Only if the extract still has the credit: another may have replaced the row meanwhile.
      CARAVEL_TRY(statement.run(ids[i], extract));
      removed += static_cast<std::uint64_t>(file.changes());
    }
    CARAVEL_TRY(transaction.commit());
  }
  return removed;
}

/// One answer for each id. No file, or no table in it, holds no row.
Result<std::vector<bool>> which_are_there(Sqlite* file, const std::string& feed,
                                          const std::vector<std::string>& ids) {
  std::vector<bool> there(ids.size(), false);
  if (file == nullptr) return there;
  CARAVEL_ASSIGN_OR_RETURN(
      auto statement, file->prepare(fmt::format("SELECT 1 FROM {} WHERE _id = ?", sql_name(feed))));
  for (std::size_t i = 0; i < ids.size(); ++i) {
    statement.reset();
    statement.bind(ids[i]);
    CARAVEL_ASSIGN_OR_RETURN(there[i], statement.step());
  }
  return there;
}

class SqliteGroup : public UploadGroup {
 public:
  explicit SqliteGroup(RowsFile& file) : file_(file) {}
  SqliteGroup(const SqliteGroup&) = delete;
  SqliteGroup& operator=(const SqliteGroup&) = delete;
  ~SqliteGroup() override { file_.end_group(); }
  [[nodiscard]] bool is_open() const override { return file_.is_in_group(); }
  Result<> commit() override { return file_.commit_group(); }

 private:
  RowsFile& file_;
};

class SqliteStore : public Store {
 public:
  explicit SqliteStore(const SqliteConfig& config)
      : settings_(config), file_(config.name, config.path) {}

  Result<std::string> check(bool may_create) override { return file_.check(may_create); }

  std::unique_ptr<Upload> start(ExtractInfo extract, formatter::RowReader rows,
                                UploadOptions options) override {
    return std::make_unique<SqliteUpload>(file_, settings_, std::move(extract), std::move(rows),
                                          options);
  }

  std::unique_ptr<UploadGroup> begin_group() override {
    return file_.begin_group() ? std::make_unique<SqliteGroup>(file_) : nullptr;
  }

  Result<std::optional<StoredDocument>> find(const std::string& id) override {
    const std::string table = table_of(id);
    // A table that is missing holds no such document: only an upload makes tables.
    CARAVEL_ASSIGN_OR_RETURN(auto file, file_.open_with(table));
    if (file == nullptr) return std::nullopt;
    std::optional<StoredDocument> found;
    CARAVEL_TRY(file_.in_context([&] {
      return file->each(
          fmt::format("SELECT * FROM {} WHERE _id = ?", sql_name(table)),
          [&](const Statement& row) { found = document_at(row, id, table == kFeedsTable); }, id);
    }));
    return found;
  }

  Result<Missing> missing(const std::string& feed, formatter::RowReader rows,
                          const StopSignal& stop) override {
    const std::string document = feed_document_id(feed, rows.end().sha256);
    CARAVEL_ASSIGN_OR_RETURN(auto file, file_.open_with(feed));
    CARAVEL_ASSIGN_OR_RETURN(
        auto missing, ask_for_rows(feed, std::move(rows), kAskAtOnce, stop, [&](const auto& ids) {
          return file_.in_context([&] { return which_are_there(file, feed, ids); });
        }));
    if (settings_.documents == Documents::rows) return missing;
    CARAVEL_ASSIGN_OR_RETURN(const auto stored, find(document));
    missing.feed_document = !stored;
    return missing;
  }

  Result<> for_each_row_of(const std::string& feed, const std::string& extract,
                           const std::function<void(const StoredDocument&)>& visit) override {
    // Reads the whole table, because _extract has no index: only --delete-stale asks for this.
    CARAVEL_ASSIGN_OR_RETURN(auto file, file_.open_with(feed));
    if (file == nullptr) return {};
    return file_.in_context([&] {
      return file->each(
          fmt::format("SELECT _id, _line, _sum FROM {} WHERE _extract = ?", sql_name(feed)),
          [&](const Statement& row) {
            visit({row.text(0), extract, row.count(1), row.text(2), {}});
          },
          extract);
    });
  }

  Result<> for_each_feed_document(
      const std::string& feed, const std::function<void(const StoredDocument&)>& visit) override {
    CARAVEL_ASSIGN_OR_RETURN(auto file, file_.open_with(kFeedsTable));
    if (file == nullptr) return {};
    return file_.in_context([&] {
      return file->each(
          fmt::format("SELECT * FROM {} WHERE feed = ? ORDER BY _id", kFeedsTable),
          [&](const Statement& row) { visit(document_at(row, row.text(0), true)); }, feed);
    });
  }

  Result<std::uint64_t> remove_rows(const std::string& feed, const std::string& extract,
                                    const std::vector<std::string>& ids) override {
    CARAVEL_ASSIGN_OR_RETURN(auto file, file_.open_with(feed));
    if (file == nullptr) return 0;
    return file_.in_context([&] { return remove_in_turns(*file, feed, extract, ids); });
  }

  /// The file is made anew if it is gone, as for rows: `may_create` is not asked.
  Result<bool> put_mapping(const Mapping& mapping, bool) override {
    CARAVEL_ASSIGN_OR_RETURN(auto file, file_.open(true));
    return file_.in_context([&]() -> Result<bool> {
      CARAVEL_TRY(file->script(
          fmt::format("CREATE TABLE IF NOT EXISTS {} (_id TEXT PRIMARY KEY NOT NULL, doc_type TEXT,"
                      " mapping_type TEXT, effective_date TEXT, timestamp TEXT, content TEXT)",
                      kMappingsTable)));
      // One statement is one transaction.
      CARAVEL_ASSIGN_OR_RETURN(
          const auto inserted,
          file->run(fmt::format("INSERT INTO {} VALUES (?, 'Mapping', ?, ?, ?, ?) "
                                "ON CONFLICT (_id) DO NOTHING",
                                kMappingsTable),
                    mapping_id(mapping), mapping.type, mapping.effective_date, mapping.timestamp,
                    mapping.csv));
      return inserted == 1;
    });
  }

 private:
  StoreSettings settings_;
  RowsFile file_;
};

}  // namespace

std::unique_ptr<Store> make_sqlite_store(const SqliteConfig& config) {
  return std::make_unique<SqliteStore>(config);
}

}  // namespace caravel::uploader
