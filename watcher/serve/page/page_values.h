// What templates of the page are filled with. Every value is escaped when it is put in.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include <kainjow/mustache.hpp>

namespace caravel::watcher {

/// Values, lists and parts by their names (mustache(5)).
using PageData = kainjow::mustache::data;

[[nodiscard]] PageData data_of(const std::map<std::string, std::string>& values);

/// One part for each item, and "has_NAME" if there is any.
template <class Items, class Convert>
void set_list(PageData& page, const std::string& name, const Items& items, Convert convert) {
  PageData list(PageData::type::list);
  for (const auto& item : items) list << convert(item);
  page.set("has_" + name, PageData(!list.is_empty_list()));
  page.set(name, list);
}

/// For HTML, between tags and in double quotes. What shown() escapes is escaped already.
[[nodiscard]] std::string escape_html(const std::string& text);

/// The file of watcher/serve/page/files/ with these values in their places.
[[nodiscard]] std::string filled_page(std::string_view file, const PageData& values);

}  // namespace caravel::watcher
