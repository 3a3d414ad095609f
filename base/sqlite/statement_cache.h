// Statements that a connection runs again and again, compiled once: SQLite takes longer to compile
// most of ours than to run them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/sqlite/statement.h"

namespace caravel {

/// Belongs to one connection, and must be gone before it. A statement is known by its text. While
/// one is in use it is not in here, so that the same text may be run from inside of its own rows.
class StatementCache {
 public:
  /// More are not kept: the one that was used longest ago goes.
  static constexpr std::size_t kMost = 64;

  StatementCache() = default;
  StatementCache(StatementCache&&) = default;
  StatementCache& operator=(StatementCache&&) = default;

  /// Ready to run, without values; nothing if none of this text is here.
  [[nodiscard]] std::optional<Statement> take(std::string_view sql);
  void give_back(std::string_view sql, Statement statement);
  [[nodiscard]] std::size_t size() const { return kept_.size(); }

 private:
  struct Kept {
    std::optional<Statement> statement;  // nothing while it is in use
    std::uint64_t used = 0;
  };
  void make_room();

  std::map<std::string, Kept, std::less<>> kept_;
  std::uint64_t uses_ = 0;
};

/// A statement that goes back to its cache, if it is of one, when this ends.
class KeptStatement {
 public:
  /// `cache` may be null; else it outlives this, where it is.
  KeptStatement(StatementCache* cache, std::string_view sql, Statement statement)
      : cache_(cache), sql_(sql), statement_(std::move(statement)) {}
  KeptStatement(KeptStatement&& other) noexcept
      : cache_(std::exchange(other.cache_, nullptr)),
        sql_(std::move(other.sql_)),
        statement_(std::move(other.statement_)) {}
  KeptStatement& operator=(KeptStatement&&) = delete;
  ~KeptStatement() {
    if (cache_ != nullptr) cache_->give_back(sql_, std::move(statement_));
  }

  Statement* operator->() { return &statement_; }
  Statement& operator*() { return statement_; }

 private:
  StatementCache* cache_;
  std::string sql_;
  Statement statement_;
};

}  // namespace caravel
