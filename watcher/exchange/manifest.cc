#include "watcher/exchange/manifest.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.h"
#include "watcher/exchange/key_value.h"

namespace caravel::watcher {
namespace {

/// The drop directory refuses names of more than 200 bytes (watcher/files/name_rules.h), and the
/// manifest's is the longer of the two.
constexpr std::size_t kMaxExtractName = 200 - kManifestSuffix.size();
/// A host's name may have 255 bytes (RFC 1035, 2.3.4); the log's name must keep room beside it. The
/// manifest has the whole host name.
constexpr std::size_t kMaxHostPart = 64;
constexpr std::size_t kMaxHost = 255;
constexpr std::size_t kMaxLog = 4096;  // PATH_MAX
constexpr std::string_view kExtension = ".log";

/// An error of kind content that names line and key.
tl::unexpected<Error> wrong(const KeyValue& line, std::string_view what) {
  return fail(ErrorKind::content, "manifest line " + std::to_string(line.number) + ": " +
                                      std::string(line.key) + ": " + std::string(what));
}

Result<> read_number(const KeyValue& line, std::uint64_t& out) {
  const auto number = parse_whole_number(line.value);
  if (!number) return wrong(line, "not a whole number below 2^64");
  out = *number;
  return {};
}

Result<> read_hex(const KeyValue& line, std::size_t digits, std::string& out) {
  if (!is_hex(line.value, digits)) {
    return wrong(line, "not " + std::to_string(digits) + " lower-case hex digits");
  }
  out = line.value;
  return {};
}

/// A percent-encoded value that may be any bytes; an empty one is an error, and so is one that is
/// longer than such a thing can be: anybody who may drop files can write a manifest.
Result<> read_bytes(const KeyValue& line, std::size_t max_bytes, std::string& out) {
  auto bytes = decode_value(line.value);
  if (!bytes) return wrong(line, "not percent-encoded text");
  if (bytes->empty()) return wrong(line, "empty");
  if (bytes->size() > max_bytes) {
    return wrong(line, "has " + std::to_string(bytes->size()) + " bytes, and no more than " +
                           std::to_string(max_bytes) + " are possible");
  }
  out = std::move(*bytes);
  return {};
}

Result<> read_time(const KeyValue& line, std::chrono::system_clock::time_point& out) {
  const auto time = parse_utc(line.value);
  if (!time) return wrong(line, "not a time like 2012-03-09T09:48:00.000Z");
  out = *time;
  return {};
}

/// How the value of one key is read into a manifest.
struct Key {
  std::string_view name;
  Result<> (*read)(const KeyValue&, Manifest&);
};

using Line = KeyValue;
/// All keys of version 1, in the order in which format_manifest() writes them; each is required.
constexpr std::array<Key, 14> kKeys{{
    {"version", [](const Line& l, Manifest& m) { return read_number(l, m.version); }},
    {"host", [](const Line& l, Manifest& m) { return read_bytes(l, kMaxHost, m.host); }},
    {"log", [](const Line& l, Manifest& m) { return read_bytes(l, kMaxLog, m.log); }},
    {"device", [](const Line& l, Manifest& m) { return read_number(l, m.device); }},
    {"inode", [](const Line& l, Manifest& m) { return read_number(l, m.inode); }},
    {"run", [](const Line& l, Manifest& m) { return read_hex(l, 8, m.run); }},
    {"sequence", [](const Line& l, Manifest& m) { return read_number(l, m.sequence); }},
    {"first_line", [](const Line& l, Manifest& m) { return read_hex(l, 32, m.first_line); }},
    {"first", [](const Line& l, Manifest& m) { return read_number(l, m.first); }},
    {"last", [](const Line& l, Manifest& m) { return read_number(l, m.last); }},
    {"bytes", [](const Line& l, Manifest& m) { return read_number(l, m.bytes); }},
    {"lines", [](const Line& l, Manifest& m) { return read_number(l, m.lines); }},
    {"sha256", [](const Line& l, Manifest& m) { return read_hex(l, 64, m.sha256); }},
    {"cut", [](const Line& l, Manifest& m) { return read_time(l, m.cut); }},
}};

/// Checks what must hold between the values of a manifest. Each was read as a number by itself, but
/// an enemy may have written them: last - first, for one, must not wrap around.
Result<> check(const Manifest& manifest) {
  const auto odd = [](std::string_view what) {
    return fail(ErrorKind::content, "manifest: " + std::string(what));
  };
  // An agent counts from 1; the ledger's integers end at 2^63 - 1 (kMaxSequence).
  if (manifest.sequence == 0) return odd("sequence: counts from 1");
  if (manifest.sequence > kMaxSequence) return odd("sequence: no agent counts that far");
  if (manifest.last < manifest.first) return odd("last: lies before first");
  if (manifest.bytes != manifest.last - manifest.first) return odd("bytes: are not last - first");
  if (manifest.bytes == 0) return odd("bytes: an empty extract is never cut");
  // A line has at least one byte, its line end.
  if (manifest.lines > manifest.bytes) return odd("lines: more than bytes");
  return {};
}

/// `text` as part of a file name: at most `max_bytes` of it, cut between characters, with '_' in
/// the place of what the drop directory refuses. Two logs may get the same part: their runs differ.
std::string name_part(std::string_view text, std::size_t max_bytes) {
  std::string part;
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const bool bad = length == 0 || is_control(text.substr(0, length)) || text.front() == '/';
    const std::string_view piece = bad ? "_" : text.substr(0, length);
    if (part.size() + piece.size() > max_bytes) break;  // never half a character
    part += piece;
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  if (part.empty()) part = "_";
  // A drop directory passes over names that begin so: senders use them for temporary files.
  if (part.front() == '.' || part.front() == '~') part.front() = '_';
  return part;
}

}  // namespace

std::string format_manifest(const Manifest& m) {
  std::string out;
  const auto line = [&out](std::string_view key, const std::string& value) {
    append_key_value(key, value, out);
  };
  // The order is frozen: after a crash the agent writes a manifest again, and it must be the same
  // byte for byte as the one that a fetcher may have taken (Outbox::publish).
  line("version", std::to_string(m.version));
  line("host", encode_value(m.host));
  line("log", encode_value(m.log));
  line("device", std::to_string(m.device));
  line("inode", std::to_string(m.inode));
  line("run", m.run);
  line("sequence", std::to_string(m.sequence));
  line("first_line", m.first_line);
  line("first", std::to_string(m.first));
  line("last", std::to_string(m.last));
  line("bytes", std::to_string(m.bytes));
  line("lines", std::to_string(m.lines));
  line("sha256", m.sha256);
  line("cut", format_utc(m.cut));
  return out;
}

Result<Manifest> parse_manifest(std::string_view text) {
  // `host` and `log` are the longest values: a path of PATH_MAX (4096) bytes, all percent-encoded,
  // takes 12 KiB.
  if (text.size() > kMaxManifestBytes) {
    return fail(ErrorKind::content,
                "manifest: larger than " + std::to_string(kMaxManifestBytes) + " bytes");
  }
  auto lines = parse_key_values(text);
  if (!lines) return tl::unexpected(with_context("manifest", lines.error()));
  // The version stands first, so that a later version may change all that follows.
  if (lines->empty() || lines->front().key != "version") {
    return fail(ErrorKind::content, "manifest line 1: version: must come first");
  }
  Manifest manifest;
  std::array<bool, kKeys.size()> seen{};
  for (const KeyValue& line : *lines) {
    const auto* const key =
        std::find_if(kKeys.begin(), kKeys.end(), [&](const Key& k) { return k.name == line.key; });
    if (key == kKeys.end()) continue;  // a later agent's, see parse_manifest()
    seen[static_cast<std::size_t>(key - kKeys.begin())] = true;
    CARAVEL_TRY(key->read(line, manifest));
    // Looked at after each line, so right after the first: of a version that is not known no other
    // line is judged.
    if (manifest.version != Manifest::kVersion) {
      return wrong(line, "is " + std::to_string(manifest.version) + ", and only 1 is known here");
    }
  }
  for (std::size_t i = 0; i < kKeys.size(); ++i) {
    if (!seen[i]) {
      return fail(ErrorKind::content,
                  "manifest: " + std::string(kKeys[i].name) + ": missing (cut off?)");
    }
  }
  CARAVEL_TRY(check(manifest));
  return manifest;
}

std::string manifest_name(std::string_view extract) {
  return std::string(extract) + std::string(kManifestSuffix);
}

std::string extract_name(std::string_view log, std::string_view host, std::string_view run,
                         std::uint64_t sequence) {
  std::string tail = "." + name_part(host, kMaxHostPart) + "." + std::string(run) + ".";
  const std::string digits = std::to_string(sequence);
  if (digits.size() < 8) tail.append(8 - digits.size(), '0');
  tail += digits;
  tail += kExtension;
  // Run and sequence tell extracts apart, so they are never shortened: the log's part gives way.
  const std::string_view base = log.substr(log.rfind('/') + 1);
  return name_part(base, kMaxExtractName - tail.size()) + tail;
}

std::optional<TailName> parse_tail_name(std::string_view name) {
  // The name is read from its end: log and host may hold dots, run and sequence may not.
  for (const std::string_view packed : {".gz", ".zst"}) {
    if (name.ends_with(packed)) {
      name.remove_suffix(packed.size());
      break;
    }
  }
  if (!name.ends_with(kExtension)) return std::nullopt;
  name.remove_suffix(kExtension.size());

  const std::size_t before_sequence = name.rfind('.');
  if (before_sequence == std::string_view::npos) return std::nullopt;
  const std::string_view digits = name.substr(before_sequence + 1);
  TailName parts;
  const auto [end, status] =
      std::from_chars(digits.data(), digits.data() + digits.size(), parts.sequence);
  // Only the digits that extract_name() writes are taken, eight or more and no needless zero: so
  // each extract has one name.
  const bool padded = digits.size() == 8 || (digits.size() > 8 && digits.front() != '0');
  if (status != std::errc{} || end != digits.data() + digits.size() || !padded) return std::nullopt;
  if (parts.sequence == 0) return std::nullopt;
  name = name.substr(0, before_sequence);

  const std::size_t before_run = name.rfind('.');
  if (before_run == std::string_view::npos) return std::nullopt;
  parts.run = name.substr(before_run + 1);
  parts.log_and_host = name.substr(0, before_run);
  if (!is_hex(parts.run, 8)) return std::nullopt;
  // Both parts are there, with a dot between them.
  const std::size_t dot = parts.log_and_host.find('.', 1);
  if (dot == std::string_view::npos || dot + 1 == parts.log_and_host.size()) return std::nullopt;
  return parts;
}

}  // namespace caravel::watcher
