#include "uploader/sqlite/sqlite_store.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include <fmt/format.h>

#include "uploader/couchdb/couch_database.h"
#include "uploader/json_text.h"
#include "uploader/sqlite/sqlite_upload.h"

namespace caravel::uploader {
namespace {

constexpr std::size_t kRemoveAtOnce = 1000;

std::string parent_of(const std::string& path) {
  const auto parent = std::filesystem::path(path).parent_path();
  return parent.empty() ? "." : parent.string();
}

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

/// The row that `statement` is at, as JSON; NULLs are left out.
std::string row_as_json(SqliteStatement& statement) {
  std::string text = "{";
  for (int i = 0; i < statement.columns(); ++i) {
    if (statement.is_null(i)) continue;
    if (text.size() > 1) text.push_back(',');
    append_json_string(statement.column_name(i), text);
    text.push_back(':');
    const bool number = statement.is_integer(i);
    if (number)
      text.append(statement.text(i));
    else
      append_json_string(statement.text(i), text);
  }
  text.push_back('}');
  return text;
}

}  // namespace

Result<SqliteFile*> SqliteStore::open(bool may_create) {
  if (file_ && file_->still_there()) return file_.get();
  file_.reset();
  if (!exists(config_.path)) {
    if (!may_create) return nullptr;
    const std::string parent = parent_of(config_.path);
    if (::mkdir(parent.c_str(), 0700) != 0 && errno != EEXIST) {
      return fail_with_errno(fmt::format("{}: mkdir {}", config_.name, parent), errno);
    }
  }
  auto opened = SqliteFile::open(config_.path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
                                                   (may_create ? SQLITE_OPEN_CREATE : 0));
  if (!opened) return tl::unexpected(with_context(config_.name, opened.error()));
  // FULL: a committed row is on the disk (sqlite.org/pragma.html#pragma_synchronous). The cache is
  // bounded: 8 MiB.
  auto ready = opened->execute(
      "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-8192; "
      "PRAGMA temp_store=MEMORY");
  if (!ready) return tl::unexpected(with_context(config_.name, ready.error()));
  file_ = std::make_unique<SqliteFile>(std::move(*opened));
  ++times_opened_;
  return file_.get();
}

Result<SqliteFile*> SqliteStore::open_with(std::string_view table) {
  auto file = open(false);
  if (!file || *file == nullptr) return file;
  const auto columns = (*file)->columns_of(table);
  if (!columns) return tl::unexpected(with_context(config_.name, columns.error()));
  return columns->empty() ? nullptr : *file;
}

Result<std::string> SqliteStore::check(bool may_create) {
  const std::string& path = config_.path;
  const std::string parent = parent_of(path);
  if (!exists(path)) {
    if (!may_create) {
      return fail(ErrorKind::fault,
                  fmt::format("{}: {} has vanished: rows were stored there before. Bring it back; "
                              "the next extract would make it anew",
                              config_.name, path));
    }
    const std::string above = exists(parent) ? parent : parent_of(parent);
    if (::access(above.c_str(), W_OK | X_OK) != 0) {
      return fail_with_errno(fmt::format("{}: {} cannot be made in {}", config_.name, path, above),
                             errno);
    }
    return fmt::format("{} is not there yet and will be created", path);
  }
  if (::access(path.c_str(), R_OK | W_OK) != 0) return fail_with_errno(path, errno);
  // WAL needs to make files beside it.
  if (::access(parent.c_str(), W_OK | X_OK) != 0) return fail_with_errno(parent, errno);
  // immutable=1 (sqlite.org/uri.html): not even a lock or a WAL index is made.
  std::string uri = "file:";
  for (const char c : path) uri.append(c == '/' ? "/" : percent_encoded({&c, 1}));
  auto file = SqliteFile::open(uri + "?immutable=1", SQLITE_OPEN_READONLY | SQLITE_OPEN_URI);
  if (!file) return tl::unexpected(with_context(config_.name, file.error()));
  auto statement = file->prepare("SELECT count(*) FROM sqlite_schema WHERE type = 'table'");
  if (!statement) return tl::unexpected(with_context(config_.name, statement.error()));
  const auto row = statement->step();
  if (!row) return tl::unexpected(with_context(config_.name, row.error()));
  return fmt::format("{} can be written and has {} tables", path, statement->number(0));
}

std::unique_ptr<Upload> SqliteStore::start(ExtractInfo extract, formatter::RowReader rows,
                                           UploadOptions options) {
  return std::make_unique<SqliteUpload>(*this, std::move(extract), std::move(rows), options);
}

Result<std::optional<StoredDocument>> SqliteStore::find(const std::string& id) {
  const std::string first = id.substr(0, id.find(':'));
  // No feed is called "feed" or "mapping".
  const bool of_extract = first == "feed";
  const std::string table = of_extract ? kFeedsTable : first == "mapping" ? kMappingsTable : first;
  CARAVEL_ASSIGN_OR_RETURN(auto file, open_with(table));
  if (file == nullptr) return std::nullopt;
  auto statement = file->prepare(fmt::format("SELECT * FROM {} WHERE _id = ?", sql_name(table)));
  if (!statement) return tl::unexpected(with_context(config_.name, statement.error()));
  statement->bind(1, id);
  const auto row = statement->step();
  if (!row) return tl::unexpected(with_context(config_.name, row.error()));
  if (!*row) return std::nullopt;
  StoredDocument document;
  document.id = id;
  document.text = row_as_json(*statement);
  for (int i = 0; i < statement->columns(); ++i) {
    const std::string_view name = statement->column_name(i);
    if (of_extract && name == "sha256") document.extract = statement->text(i).substr(0, 16);
    if (of_extract) continue;
    if (name == "_extract") document.extract = statement->text(i);
    if (name == "_line") document.line = statement->number(i);
    if (name == "_sum") document.sum = statement->text(i);
  }
  return document;
}

Result<> SqliteStore::for_each_row_of(const std::string& feed, const std::string& extract,
                                      const std::function<void(const StoredDocument&)>& visit) {
  CARAVEL_ASSIGN_OR_RETURN(auto file, open_with(feed));
  if (file == nullptr) return {};
  auto statement = file->prepare(
      fmt::format("SELECT _id, _line, _sum FROM {} WHERE _extract = ?", sql_name(feed)));
  if (!statement) return tl::unexpected(with_context(config_.name, statement.error()));
  statement->bind(1, extract);
  for (;;) {
    const auto row = statement->step();
    if (!row) return tl::unexpected(with_context(config_.name, row.error()));
    if (!*row) return {};
    visit({std::string(statement->text(0)),
           extract,
           statement->number(1),
           std::string(statement->text(2)),
           {}});
  }
}

Result<std::uint64_t> SqliteStore::remove_rows(const std::string& feed, const std::string& extract,
                                               const std::vector<std::string>& ids) {
  CARAVEL_ASSIGN_OR_RETURN(auto file, open_with(feed));
  if (file == nullptr) return 0;
  std::uint64_t removed = 0;
  auto remove_all = [&]() -> Result<> {
    CARAVEL_ASSIGN_OR_RETURN(
        auto statement, file->prepare(fmt::format("DELETE FROM {} WHERE _id = ? AND _extract = ?",
                                                  sql_name(feed))));
    for (std::size_t i = 0; i < ids.size(); ++i) {
      if (!file->in_transaction()) CARAVEL_TRY(file->execute("BEGIN IMMEDIATE"));
      statement.bind(1, ids[i]);
      statement.bind(2, extract);
      CARAVEL_TRY(statement.run());
      removed += static_cast<std::uint64_t>(file->changes());
      // Others wait for a writer: not for too long.
      if (i % kRemoveAtOnce == kRemoveAtOnce - 1) CARAVEL_TRY(file->execute("COMMIT"));
    }
    return file->in_transaction() ? file->execute("COMMIT") : Result<>{};
  }();
  if (!remove_all) {
    if (file->in_transaction()) static_cast<void>(file->execute("ROLLBACK"));
    return tl::unexpected(with_context(config_.name, remove_all.error()));
  }
  return removed;
}

Result<bool> SqliteStore::put_mapping(const Mapping& mapping, bool) {
  CARAVEL_ASSIGN_OR_RETURN(auto file, open(true));
  const auto put = [&]() -> Result<bool> {
    // One statement is one transaction.
    CARAVEL_TRY(file->execute(
        fmt::format("CREATE TABLE IF NOT EXISTS {} (_id TEXT PRIMARY KEY NOT NULL, doc_type TEXT, "
                    "mapping_type TEXT, effective_date TEXT, timestamp TEXT, content TEXT)",
                    kMappingsTable)));
    CARAVEL_ASSIGN_OR_RETURN(
        auto statement,
        file->prepare(fmt::format(
            "INSERT INTO {} VALUES (?, 'Mapping', ?, ?, ?, ?) ON CONFLICT (_id) DO NOTHING",
            kMappingsTable)));
    const std::string id = mapping_id(mapping);
    statement.bind(1, id);
    statement.bind(2, mapping.type);
    statement.bind(3, mapping.effective_date);
    statement.bind(4, mapping.timestamp);
    statement.bind(5, mapping.csv);
    CARAVEL_TRY(statement.run());
    return file->changes() == 1;
  }();
  if (!put) return tl::unexpected(with_context(config_.name, put.error()));
  return put;
}

}  // namespace caravel::uploader
