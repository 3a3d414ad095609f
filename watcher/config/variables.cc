#include "watcher/config/variables.h"

#include <algorithm>
#include <cctype>
#include <string_view>
#include <vector>

#include <fmt/format.h>

namespace caravel::watcher {
namespace {

bool is_secret(std::string_view key) {
  return key.find("password") != std::string_view::npos ||
         key.find("token") != std::string_view::npos ||
         key.find("secret") != std::string_view::npos || key.ends_with("_key");
}

/// POSIX, Base Definitions, 3.230 "Name".
bool is_name(std::string_view text) {
  return !text.empty() && std::isdigit(static_cast<unsigned char>(text.front())) == 0 &&
         std::ranges::all_of(text,
                             [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
}

/// The user's part of "scheme://user:password@host/…", with its "@"; "" if there is none.
std::string_view user_of_url(std::string_view text) {
  const std::size_t scheme = text.find("://");
  if (scheme == std::string_view::npos) return {};
  const std::string_view authority =
      text.substr(scheme + 3, text.find('/', scheme + 3) - scheme - 3);
  const std::size_t at = authority.rfind('@');
  return at == std::string_view::npos ? std::string_view() : authority.substr(0, at + 1);
}

/// What "${…}" stands for; `inner` is what is between the brackets. Errors are sentences.
tl::expected<std::string, std::string> value_of(std::string_view inner,
                                                const Variables& variables) {
  const std::size_t colon = inner.find(":-");
  const std::string name(inner.substr(0, colon));
  if (!is_name(name)) {
    return tl::unexpected(fmt::format(
        "'${{{}}}' is not like ${{NAME}} or ${{NAME:-TEXT}}; a dollar itself is written $$",
        inner));
  }
  const auto value = variables(name);
  if (colon != std::string_view::npos) {
    return value && !value->empty() ? *value : std::string(inner.substr(colon + 2));
  }
  if (value) return *value;
  return tl::unexpected(fmt::format(
      "the environment variable {0} is not set; ${{{0}:-TEXT}} says what stands for it then",
      name));
}

tl::expected<std::string, std::string> expanded(std::string_view text, const Variables& variables) {
  std::string out;
  while (!text.empty()) {
    const std::size_t dollar = std::min(text.find('$'), text.size());
    out += text.substr(0, dollar);
    text.remove_prefix(dollar);
    if (text.starts_with("$$")) {
      out += '$';
      text.remove_prefix(2);
    } else if (text.starts_with("${")) {
      const std::size_t end = text.find('}');
      if (end == std::string_view::npos) {
        return tl::unexpected(std::string("'${' without '}'; a dollar itself is written $$"));
      }
      auto value = value_of(text.substr(2, end - 2), variables);
      if (!value) return value;
      out += *value;
      text.remove_prefix(end + 1);
    } else if (!text.empty()) {
      out += text.front();
      text.remove_prefix(1);
    }
  }
  return out;
}

/// Goes through the tree once. The bounds are for files that were made to be large: an alias may
/// repeat a list of aliases, or itself.
class Expansion {
 public:
  explicit Expansion(const Variables& variables) : variables_(variables) {}

  Result<> all(YamlNode& root) {
    visit("", root, 0);
    return errors_.result();
  }

 private:
  static constexpr int kMostDeep = 32;
  static constexpr std::size_t kMostNodes = 100'000;

  void visit(std::string_view key, YamlNode& node, int depth) {
    if (depth > kMostDeep || ++visited_ > kMostNodes) return;
    for (auto& [name, child] : node.pairs()) visit(name, child, depth + 1);
    for (YamlNode& item : node.items()) visit(key, item, depth + 1);
    if (node.is_scalar()) value(key, node);
  }

  void value(std::string_view key, YamlNode& node) {
    const std::string text = node.as_string().value_or("");
    if (text.find('$') == std::string::npos) return;
    const bool was_here =
        std::ranges::any_of(done_, [&](const YamlNode& other) { return other.is_same_as(node); });
    if (was_here) return;
    done_.push_back(node);
    const bool has_variable = text.find("${") != std::string::npos;
    if (has_variable && is_secret(key)) {
      return wrong(node,
                   "takes no environment variable: a secret, and the way to it, belong into a file "
                   "or a credential of the service");
    }
    const auto text_now = expanded(text, variables_);
    if (!text_now) return wrong(node, text_now.error());
    // Not by the text alone: the variable may bring the whole URL.
    if (has_variable && !user_of_url(*text_now).empty() &&
        user_of_url(*text_now) != user_of_url(text)) {
      return wrong(node,
                   "an environment variable brings a user or a password into a URL; a secret "
                   "belongs into a file or a credential of the service");
    }
    node.set_text(*text_now);
  }

  void wrong(YamlNode& node, std::string_view what) {
    errors_.add(node.error(what));
    node.set_null();
  }

  const Variables& variables_;
  std::vector<YamlNode> done_;
  std::size_t visited_ = 0;
  Errors errors_;
};

}  // namespace

Result<> expand_variables(YamlNode root, const Variables& variables) {
  return Expansion(variables).all(root);
}

}  // namespace caravel::watcher
