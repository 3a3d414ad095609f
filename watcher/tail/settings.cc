#include "watcher/tail/settings.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>

#include "base/units.h"
#include "watcher/exchange/key_value.h"
#include "watcher/tail/files/paths.h"

namespace caravel::tail {
namespace {

using std::chrono::milliseconds;

/// More descriptors than any system gives one process by default.
constexpr std::uint64_t kMostHeld = 1 << 20;

/// Sets a time such as "10s" (base/units.h). One that is below `least` is an error: with an
/// interval of 0 the agent would never sleep, with a send timeout of 0 no command would ever end.
Result<> set_duration(const std::string& text, milliseconds least, milliseconds& out) {
  CARAVEL_ASSIGN_OR_RETURN(auto value, parse_duration(text));
  if (value < least) {
    return fail(ErrorKind::usage,
                "'" + text + "' is less than " + std::to_string(least.count()) + "ms");
  }
  out = value;
  return {};
}

/// Sets a size such as "8MiB". No option of the agent means "without limit" by 0.
Result<> set_size(const std::string& text, std::uint64_t& out) {
  CARAVEL_ASSIGN_OR_RETURN(auto value, parse_size(text));
  if (value == 0) return fail(ErrorKind::usage, "must be more than 0");
  out = value;
  return {};
}

/// Sets a text that must not be empty.
Result<> set_text(const std::string& text, std::string& out) {
  if (text.empty()) return fail(ErrorKind::usage, "must not be empty");
  out = text;
  return {};
}

// Short names, so that an option is a line of the table. The functions have no state: a plain
// function pointer holds each, and the table is a constant of the program.
using A = AgentOptions;
using S = const std::string;
/// All options that take a value and may stand on the command line or in the file.
constexpr std::array<Setting, 14> kSettings{{
    {"outbox", [](A& a, S& v, S& d) { return set_text(absolute(v, d), a.outbox); }},
    {"state", [](A& a, S& v, S& d) { return set_text(absolute(v, d), a.state); }},
    {"host",
     [](A& a, S& v, S&) -> Result<> {
       // As long as a host's name can be (RFC 1035).
       if (v.size() > 255) return fail(ErrorKind::usage, "is longer than 255 bytes");
       return set_text(v, a.host);
     }},
    {"interval", [](A& a, S& v, S&) { return set_duration(v, milliseconds(100), a.interval); }},
    {"grace",
     [](A& a, S& v, S&) -> Result<> {
       // 0 is allowed: a rotated file is then over as soon as a look finds nothing new in it.
       milliseconds grace{0};
       CARAVEL_TRY(set_duration(v, milliseconds(0), grace));
       a.grace = grace;
       return {};
     }},
    {"from",
     [](A& a, S& v, S&) -> Result<> {
       if (v != "start" && v != "end") return fail(ErrorKind::usage, "is neither start nor end");
       a.from_start = v == "start";
       return {};
     }},
    {"max-bytes", [](A& a, S& v, S&) { return set_size(v, a.max_bytes); }},
    {"max-outbox", [](A& a, S& v, S&) { return set_size(v, a.max_outbox); }},
    {"keep-sent", [](A& a, S& v, S&) { return set_duration(v, milliseconds(0), a.keep_sent); }},
    {"send", [](A& a, S& v, S&) { return set_text(v, a.send); }},
    {"siblings",
     [](A& a, S& v, S&) -> Result<> {
       if (v.empty()) return fail(ErrorKind::usage, "must not be empty");
       // A relative one begins at each log's own directory.
       a.siblings.push_back(v.starts_with('/') ? plain_path(v) : v);
       return {};
     },
     true},
    {"record-start", [](A& a, S& v, S&) { return set_text(v, a.record_start); }},
    {"max-open",
     [](A& a, S& v, S&) -> Result<> {
       const auto number = watcher::parse_whole_number(v);
       if (!number || *number == 0)
         return fail(ErrorKind::usage, "'" + v + "' is no number from 1 on");
       a.max_held = static_cast<std::size_t>(std::min<std::uint64_t>(*number, kMostHeld));
       return {};
     }},
    {"send-timeout",
     [](A& a, S& v, S&) { return set_duration(v, milliseconds(100), a.send_timeout); }},
}};

}  // namespace

std::string absolute(const std::string& path, const std::string& directory) {
  return path.starts_with('/') || path.empty() ? plain_path(path)
                                               : plain_path(directory + "/" + path);
}

const Setting* find_setting(std::string_view name) {
  const auto* const found = std::find_if(kSettings.begin(), kSettings.end(),
                                         [&](const Setting& s) { return s.name == name; });
  return found == kSettings.end() ? nullptr : found;
}

tl::unexpected<Error> unknown_setting(std::string_view what, std::string_view name,
                                      std::string_view dashes, std::vector<std::string> others) {
  for (const Setting& setting : kSettings) others.emplace_back(setting.name);
  const std::string nearest = nearest_word(name, others);
  return fail(ErrorKind::usage,
              std::string(what) +
                  (nearest.empty() ? "" : "; did you mean " + std::string(dashes) + nearest + "?"));
}

}  // namespace caravel::tail
