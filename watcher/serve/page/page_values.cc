#include "watcher/serve/page/page_values.h"

#include "base/text.h"
#include "watcher/serve/page/page_files.h"

namespace caravel::watcher {

PageData data_of(const std::map<std::string, std::string>& values) {
  PageData out;
  for (const auto& [name, value] : values) out.set(name, value);
  return out;
}

std::string escape_html(const std::string& text) {
  constexpr std::size_t kMost = 64 * 1024;  // the paths of plots are the longest
  std::string out;
  for (const char c : shown(text, kMost)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string filled_page(std::string_view file, const PageData& values) {
  kainjow::mustache::mustache page{std::string(page_file(file))};
  page.set_custom_escape(escape_html);
  return page.render(values);
}

}  // namespace caravel::watcher
