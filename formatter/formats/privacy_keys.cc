#include "formatter/formats/privacy_keys.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "formatter/patterns/capture_types.h"

namespace caravel::formatter {
namespace {

constexpr std::chrono::hours kKeepSalt{24 * 7};

/// Whether any text may stand in the place of the value.
bool is_free_text(const Op& op) {
  switch (op.type) {
    case CaptureType::word:
    case CaptureType::text:
    case CaptureType::rest:
    case CaptureType::field:
    case CaptureType::quoted:
      return true;
    case CaptureType::bracketed:
      return op.options.empty();
    default:
      return false;
  }
}

/// Times whose hour can be cut out: of an epoch that counts seconds or milliseconds, no other.
bool is_clock(const Op& op) {
  return op.type == CaptureType::time || op.type == CaptureType::timestamp ||
         (op.type == CaptureType::epoch && op.arg <= 1);
}

/// `generalise` says what a person wants, and the value says how: a time has an hour, an agent is
/// told by its name, and what else is a text may be an URL.
PrivacyRule generalise(const Op& op, std::string name) {
  if (is_clock(op)) return PrivacyRule::hour;
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return name.find("agent") != std::string::npos ? PrivacyRule::agent : PrivacyRule::query;
}

/// Whether the values that a rule writes can stand where the pattern has the capture; a sentence if
/// they cannot.
std::string why_not(PrivacyRule rule, const Op& op) {
  const bool address = op.type == CaptureType::ip;
  const bool fits = rule == PrivacyRule::hour ? is_clock(op)
                    : rule == PrivacyRule::truncate || rule == PrivacyRule::drop
                        ? is_free_text(op) || address
                        : is_free_text(op);
  if (!fits) {
    return fmt::format("a value of type '{}' cannot be written so{}", row_of(op.type).name,
                       address ? "; capture it as 'word'" : "");
  }
  // A value ends at the first byte of what follows it, so that byte must not be one of the value.
  const auto stop = static_cast<unsigned char>(op.stop);
  const bool cut = op.stop == '-' || (rule == PrivacyRule::hash && std::isxdigit(stop) != 0) ||
                   (rule == PrivacyRule::agent && std::isalpha(stop) != 0);
  if (cut) return fmt::format("what is written would end at the '{}' that follows", op.stop);
  return "";
}

Result<PrivacyRule> rule_of(const YamlNode& node, const std::string& name, const Op& op) {
  CARAVEL_ASSIGN_OR_RETURN(
      const auto word,
      node.as_choice({"truncate", "hash", "drop", "generalise", "hour", "query", "agent"}));
  const PrivacyRule rule = word == "truncate" ? PrivacyRule::truncate
                           : word == "hash"   ? PrivacyRule::hash
                           : word == "drop"   ? PrivacyRule::drop
                           : word == "hour"   ? PrivacyRule::hour
                           : word == "query"  ? PrivacyRule::query
                           : word == "agent"  ? PrivacyRule::agent
                                              : generalise(op, name);
  if (const std::string why = why_not(rule, op); !why.empty()) return node.error(why);
  return rule;
}

/// One capture in all kinds that have it.
Result<> add_acts(const YamlNode& node, const std::string& name, Format& format) {
  bool captured = false;
  for (Kind& kind : format.kinds) {
    const auto& names = kind.pattern.names();
    // A pattern may capture a name more than once; each of them holds what must not be kept.
    for (std::size_t slot = 0; slot < names.size(); ++slot) {
      if (names[slot] != name) continue;
      captured = true;
      CARAVEL_ASSIGN_OR_RETURN(auto rule, rule_of(node, name, kind.pattern.op_of(slot)));
      // No row is made of a dropped line, so nothing has to stay equal in it, and it need not have
      // a time that names a salt.
      if (rule == PrivacyRule::hash && !kind.keep) rule = PrivacyRule::drop;
      if (rule == PrivacyRule::hash) format.privacy->hashes = true;
      kind.privacy.push_back({static_cast<std::uint8_t>(slot), rule});
    }
  }
  if (captured) return {};
  return node.error(fmt::format("no kind captures '{}'", name));
}

/// Salts lie in a folder that has the format's name, and each belongs to the day of a row.
Result<> expect_days(const YamlNode& root, const Format& format) {
  const bool plain = std::all_of(format.name.begin(), format.name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '.' || c == '_' || c == '-';
  });
  if (!plain || format.name.front() == '.') {
    return root["format"].error("a format with daily salts has a name of [A-Za-z0-9._-] only");
  }
  const bool timed = std::all_of(format.kinds.begin(), format.kinds.end(), [](const Kind& kind) {
    return !kind.keep || kind.time.source != TimeRule::Source::none;
  });
  if (timed && !format.needs_year()) return {};
  return root["hash_key"].error(
      "a salt belongs to a day, so each row needs a `time` with a date that has its year; name a "
      "key file instead");
}

Result<> read_hash_key(const YamlNode& root, Format& format) {
  Privacy& privacy = *format.privacy;
  const YamlNode key = root["hash_key"];
  const YamlNode keep = root["keep_salt"];
  if (!privacy.hashes) {
    for (const YamlNode& node : {key, keep}) {
      if (node.exists()) return node.error("nothing in `privacy` says `hash`");
    }
    return {};
  }
  if (!key.exists()) {
    return root["privacy"].error(
        "`hash` needs `hash_key`: `daily` (a salt for each day, forgotten after `keep_salt`) or "
        "the "
        "path of a key file");
  }
  CARAVEL_ASSIGN_OR_RETURN(const auto word, key.as_string());
  if (word.empty()) return key.error("must be `daily` or the path of a key file");
  if (word != "daily") {
    if (keep.exists()) return keep.error("belongs to `hash_key: daily`");
    privacy.key_file = word;
    return {};
  }
  privacy.keep_salt = kKeepSalt;
  if (keep.exists()) {
    CARAVEL_ASSIGN_OR_RETURN(privacy.keep_salt, keep.as_duration());
  }
  return expect_days(root, format);
}

}  // namespace

Result<std::vector<std::string>> read_privacy_names(const YamlNode& root) {
  std::vector<std::string> names;
  const YamlNode node = root["privacy"];
  if (!node.exists()) return names;
  CARAVEL_TRY(node.expect_map());
  for (const auto& [name, rule] : node.pairs()) names.push_back(name);
  if (names.empty()) return node.error("names no capture");
  return names;
}

Result<> read_privacy(const YamlNode& root, Format& format) {
  const YamlNode node = root["privacy"];
  if (!node.exists()) {
    for (const char* key : {"unmatched", "hash_key", "keep_salt"}) {
      if (root[key].exists()) return root[key].error("belongs to a format with `privacy`");
    }
    return {};
  }
  // Ignored, it would let everything be stored that the format promises to hide.
  if (format.reader != Reader::pattern) return node.error("works with `reader: pattern` only");
  // A line that goes on is taken by no kind, so nothing would be left of it.
  for (const char* key : {"continues", "starts"}) {
    if (root[key].exists()) return root[key].error("does not go with `privacy`");
  }
  // A pattern is held against UTF-8 here, before the bytes are turned into it.
  if (format.encoding != Encoding::utf8) {
    return root["encoding"].error("does not go with `privacy`: it works with UTF-8 only");
  }
  // What is found from the first lines is found too late: a file of which nothing is found would be
  // kept as it came.
  if (root["detect"].exists() && format.detect) {
    return root["detect"].error("a format with `privacy` is never found, it must be named");
  }
  format.detect = false;
  format.privacy.emplace();
  CARAVEL_ASSIGN_OR_RETURN(const auto names, read_privacy_names(root));
  for (const std::string& name : names) CARAVEL_TRY(add_acts(node[name], name, format));
  for (Kind& kind : format.kinds) {
    // In the order of the line, which is how it is written anew.
    std::sort(kind.privacy.begin(), kind.privacy.end(),
              [](const PrivacyAct& a, const PrivacyAct& b) { return a.capture < b.capture; });
  }
  if (const YamlNode unmatched = root["unmatched"]; unmatched.exists()) {
    CARAVEL_ASSIGN_OR_RETURN(const auto word, unmatched.as_choice({"drop", "scrub"}));
    format.privacy->scrub = word == "scrub";
  }
  return read_hash_key(root, format);
}

}  // namespace caravel::formatter
