#include "base/sqlite/statement_cache.h"

#include <algorithm>

namespace caravel {

std::optional<Statement> StatementCache::take(std::string_view sql) {
  const auto place = kept_.find(sql);
  if (place == kept_.end()) return std::nullopt;
  return std::exchange(place->second.statement, std::nullopt);
}

void StatementCache::give_back(std::string_view sql, Statement statement) {
  // Values that were lent to it need not live any longer, and a read transaction ends.
  statement.forget_values();
  auto place = kept_.find(sql);
  if (place == kept_.end()) {
    make_room();
    place = kept_.emplace(sql, Kept{}).first;
  }
  // The statement of a run inside of this one may be here already: then this one goes.
  if (!place->second.statement) place->second.statement.emplace(std::move(statement));
  place->second.used = ++uses_;
}

void StatementCache::make_room() {
  if (kept_.size() < kMost) return;
  // Seldom: the texts of one program are few.
  kept_.erase(
      std::ranges::min_element(kept_, {}, [](const auto& entry) { return entry.second.used; }));
}

}  // namespace caravel
