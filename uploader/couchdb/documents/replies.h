// What every reader of CouchDB's replies needs: JSON that may be anything, and text that people
// will see. Pure. Of this room only: it brings the JSON library with it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.h"

namespace caravel::uploader {

/// Foreign text as messages and reasons may show it: one line, without control characters, of a
/// readable length. A validation function may write pages, and a server anything.
[[nodiscard]] std::string shortened(std::string_view text);

/// The text under `key`; "" if there is none, or if it is no text. A server may send anything, and
/// nothing of it may throw.
[[nodiscard]] std::string string_at(const nlohmann::json& object, const char* key);

/// Exceptions of the JSON library stop here. Nothing if the text is not JSON.
[[nodiscard]] std::optional<nlohmann::json> parse_reply(std::string_view text);

/// The reply cannot be believed. Kind retry: a proxy may have written it, or it was cut off. Row
/// ids make it harmless to send the request again.
[[nodiscard]] tl::unexpected<Error> not_understood(std::string_view what);

/// Puts `items` into the order of `ids`, one for each; an error if they are not exactly those. The
/// reply usually has the order of the request, but a row must not get the credit of another where
/// it has not. `id_of(i)`: the id of the item at `i`.
template <class Item, class Id>
[[nodiscard]] Result<std::vector<Item>> in_order(std::vector<Item> items, const Id& id_of,
                                                 const std::vector<std::string_view>& ids) {
  if (items.size() != ids.size()) {
    return not_understood(fmt::format("{} entries for {} documents", items.size(), ids.size()));
  }
  bool same_order = true;
  for (std::size_t i = 0; i < ids.size() && same_order; ++i) same_order = id_of(i) == ids[i];
  if (same_order) return items;
  // If the reply has one id twice, another id has no entry, and the reply is refused.
  std::unordered_map<std::string_view, std::size_t> places;
  for (std::size_t i = 0; i < ids.size(); ++i) places.emplace(id_of(i), i);
  std::vector<Item> ordered;
  for (const std::string_view id : ids) {
    const auto place = places.find(id);
    if (place == places.end()) return not_understood(fmt::format("no entry for {}", id));
    ordered.push_back(items[place->second]);
  }
  return ordered;
}

}  // namespace caravel::uploader
