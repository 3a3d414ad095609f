// One value made anonymous. Pure functions of text; formatter/formats/privacy.h names the rules.
//
// None of them writes more bytes than it was given, so that a line keeps its length and its place
// in the log. Each leaves alone what it has written itself, an empty value, and "-".
#pragma once

#include <string>
#include <string_view>

namespace caravel::formatter {

/// "192.0.2.0" of "192.0.2.17", "2001:db8:1::" of "2001:db8:1:2::17" (RFC 5952), the IPv4 part of
/// an IPv4-mapped address. "-" of anything else: a host's name, an address with a port.
[[nodiscard]] std::string truncated_address(std::string_view value);

/// "09:00:00,000" of "09:48:12,125"; the same within an ISO 8601 time, whose zone stays; the whole
/// hour of seconds (or, if `milliseconds`, of milliseconds) since 1970.
[[nodiscard]] std::string hour_of_clock(std::string_view value);
[[nodiscard]] std::string hour_of_timestamp(std::string_view value);
[[nodiscard]] std::string hour_of_epoch(std::string_view value, bool milliseconds);

/// "GET /a HTTP/1.1" of "GET /a?who=me#top HTTP/1.1", "https://h/a" of "https://me:pw@h/a?b":
/// without query, fragment and user. What a client hides behind %3F or a blank is taken off as
/// well.
[[nodiscard]] std::string without_query(std::string_view value);

/// "Firefox", "Chrome", "curl", …; "bot" of a robot, "other" of what is not known.
[[nodiscard]] std::string agent_family(std::string_view value);

/// A whole line of which nothing is known: IP addresses, e-mail addresses and what stands between
/// quotes become "-". It cannot know names.
[[nodiscard]] std::string scrubbed(std::string_view line);

}  // namespace caravel::formatter
