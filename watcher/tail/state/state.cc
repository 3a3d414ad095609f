#include "watcher/tail/state/state.h"

#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/file.h"
#include "base/text.h"
#include "watcher/exchange/key_value.h"

namespace caravel::tail {
namespace {

using watcher::append_key_value;
using watcher::decode_value;
using watcher::encode_value;
using watcher::KeyValue;
using watcher::parse_whole_number;

/// Of the text that is written. Version 1 is read too, see parse_state().
constexpr std::string_view kVersion = "2";
/// Stands for the digest of a file that could not be opened: it equals no digest.
constexpr std::string_view kNoDigest = "-";

/// `prefix` says whose identity it is: "file_" makes file_device, file_inode, file_born.
void append_id(std::string_view prefix, const FileId& id, std::string& out) {
  const auto line = [&](std::string_view key, const std::string& value) {
    append_key_value(std::string(prefix) + std::string(key), value, out);
  };
  line("device", std::to_string(id.device));
  line("inode", std::to_string(id.inode));
  line("born", std::to_string(id.born));
}

void append_position(std::string_view prefix, const Position& position, std::string& out) {
  const auto line = [&](std::string_view key, const std::string& value) {
    append_key_value(std::string(prefix) + std::string(key), value, out);
  };
  append_id(prefix, position.id, out);
  line("offset", std::to_string(position.offset));
  line("head", position.head);
  line("tail", position.tail);
  line("first_line", position.first_line);
  line("modified", std::to_string(position.modified));
}

/// So many losses are remembered, and so much of what was said of each.
constexpr std::size_t kMostLosses = 16;
constexpr std::size_t kMostOfLoss = 1000;

/// All about a known file on one line of about 110 bytes: there may be thousands of such files, and
/// the state is written as a whole at each save.
void append_known(const Known& known, std::string& out) {
  std::string value;
  const auto add = [&value](const auto& number) { value += std::to_string(number) + ' '; };
  add(known.id.device);
  add(known.id.inode);
  add(known.id.born);
  add(known.offset);
  add(known.size);
  add(known.modified);
  value += known.digest.empty() ? kNoDigest : known.digest;
  value += known.read ? " read" : " there";
  append_key_value("known", value, out);
  if (known.missed > 0) append_key_value("missed", std::to_string(known.missed), out);
}

void append_loss(const Loss& loss, std::string& out) {
  append_key_value("lost", std::to_string(loss.when), out);
  append_key_value("lost_what", encode_value(loss.what), out);
}

/// The lines of one section, looked up by key. Reading goes on after a problem, with empty values;
/// the first problem is kept, and the caller asks for it once, at the end. Keys that nobody asks
/// for are passed over: a later agent may write more.
class Section {
 public:
  Section(const KeyValue* begin, const KeyValue* end) : begin_(begin), end_(end) {}

  [[nodiscard]] bool has(std::string_view key) const { return find(key) != nullptr; }
  std::string text(std::string_view key) {
    const KeyValue* line = find(key);
    if (line != nullptr) return std::string(line->value);
    problem(key, "missing");
    return {};
  }
  // Paths and names, which may hold any bytes. An empty one is never written.
  std::string decoded(std::string_view key) {
    auto value = decode_value(text(key));
    if (!value || value->empty()) problem(key, "not percent-encoded text");
    return value.value_or("");
  }
  // Offsets, sizes, sequence numbers: one spelling each, see parse_whole_number().
  std::uint64_t number(std::string_view key) {
    const auto value = parse_whole_number(text(key));
    if (!value) problem(key, "not a whole number");
    return value.value_or(0);
  }
  // Nanoseconds since 1970, and before: a file may have an mtime of 1969.
  std::int64_t time(std::string_view key) {
    const std::string value = text(key);
    std::int64_t out = 0;
    const auto [end, status] = std::from_chars(value.data(), value.data() + value.size(), out);
    if (status != std::errc{} || end != value.data() + value.size()) {
      problem(key, "not a whole number");
    }
    return out;
  }
  // With `optional`, an empty value is allowed (nothing was read yet), and kNoDigest.
  std::string hex(std::string_view key, std::size_t digits, bool optional = false) {
    std::string value = text(key);
    const bool absent = optional && (value.empty() || value == kNoDigest);
    if (!absent && !is_hex(value, digits)) problem(key, "not hex digits");
    return value;
  }
  // `line N and on`: a section, not a line, is at fault if a key is missing.
  void problem(std::string_view key, std::string_view what) {
    if (!problem_.empty()) return;
    problem_ = "line " + std::to_string(begin_ == end_ ? 0 : begin_->number) +
               " and on: " + std::string(key) + ": " + std::string(what);
  }
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  // A section has 256 lines at most (parse_key_values()), so a search from its start is cheap.
  [[nodiscard]] const KeyValue* find(std::string_view key) const {
    for (const KeyValue* line = begin_; line != end_; ++line) {
      if (line->key == key) return line;
    }
    return nullptr;
  }
  const KeyValue* begin_;
  const KeyValue* end_;
  std::string problem_;
};

FileId read_id(std::string_view prefix, Section& section) {
  const auto key = [&](std::string_view name) { return std::string(prefix) + std::string(name); };
  return {section.number(key("device")), section.number(key("inode")), section.time(key("born"))};
}

Position read_position(std::string_view prefix, Section& section) {
  const auto key = [&](std::string_view name) { return std::string(prefix) + std::string(name); };
  Position position;
  position.id = read_id(prefix, section);
  position.offset = section.number(key("offset"));
  position.head = section.hex(key("head"), 32, true);
  position.tail = section.hex(key("tail"), 32, true);
  position.first_line = section.hex(key("first_line"), 32, true);
  position.modified = section.time(key("modified"));
  return position;
}

/// Reads what append_known() wrote; nothing if a word is missing or is no number.
std::optional<Known> read_known(std::string_view text) {
  bool right = true;
  const auto word = [&text] {
    const std::string_view found = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(found.size() + 1, text.size()));
    return found;
  };
  const auto number = [&](auto& out) {
    const std::string_view digits = word();
    const auto [end, status] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
    right = right && status == std::errc{} && end == digits.data() + digits.size();
  };
  Known known;
  number(known.id.device);
  number(known.id.inode);
  number(known.id.born);
  number(known.offset);
  number(known.size);
  number(known.modified);
  const std::string_view digest = word();
  right = right && (digest == kNoDigest || is_hex(digest, 32));
  if (digest != kNoDigest) known.digest = digest;
  known.read = text == "read";
  if (!right || (!known.read && text != "there")) return std::nullopt;
  return known;
}

/// The prefix of the keys of one announced extract: "next_", "next2_", "next3_", … The first is
/// spelled as agents wrote it that announced one extract at a time. With 9 keys each, 16 extracts
/// stay within the 256 keys of a section.
std::string pending_prefix(std::size_t index) {
  return index == 0 ? "next_" : "next" + std::to_string(index + 1) + "_";
}

/// The keys of a symlink's targets: "target", "target2", …; the first is the present one. Those of
/// shapes likewise.
std::string numbered_key(std::string_view key, std::size_t index) {
  return std::string(key) + (index == 0 ? "" : std::to_string(index + 1));
}

/// Reads the section of one log. The files that it knows follow in sections of their own. Problems
/// are kept in `section`.
LogState read_log(Section& section) {
  LogState log;
  log.log = section.decoded("log");
  log.run = section.hex("run", 8);
  log.sequence = section.number("sequence");
  log.half_open = section.has("half_open");
  if (section.has("since")) log.since = section.time("since");
  if (section.has("file_device")) log.file = read_position("file_", section);
  if (section.has("aside_device")) log.aside = read_position("aside_", section);
  if (section.has("begun_device")) log.begun = read_position("begun_", section);
  if (section.has("outbox_device")) log.built_in = read_id("outbox_", section);
  if (section.has("first_device")) {
    log.first_look = FirstLook{read_id("first_", section), section.number("first_size")};
  }
  for (std::size_t i = 0; section.has(numbered_key("target", i)); ++i) {
    log.targets.push_back(section.decoded(numbered_key("target", i)));
  }
  for (std::size_t i = 0; section.has(numbered_key("shape", i)); ++i) {
    log.shapes.push_back(section.decoded(numbered_key("shape", i)));
  }
  if (section.has("rules")) log.rules = section.decoded("rules");
  if (section.has("looked")) log.looked = section.time("looked");
  if (section.has("deserted")) {
    log.deserted_looks =
        static_cast<unsigned>(std::min<std::uint64_t>(section.number("deserted"), 9));
  }
  // Version 1 kept the last file that was read to its end as file_…, with file_finished=1, and
  // remembered no others. `since` makes the next look take what is older for read.
  if (section.has("file_finished") && section.number("file_finished") != 0) {
    if (!log.file) {
      section.problem("file_device", "missing");
      return log;
    }
    const Position& file = *log.file;
    log.since = file.modified;
    log.known.push_back(
        {file.id, file.offset, file.offset, file.modified, digest_of(file), true, 0});
    log.file.reset();
  }
  for (std::size_t i = 0; section.has(pending_prefix(i) + "manifest"); ++i) {
    const std::string prefix = pending_prefix(i);
    Pending pending;
    auto manifest = watcher::parse_manifest(section.decoded(prefix + "manifest"));
    if (!manifest) {
      section.problem(prefix + "manifest", manifest.error().message);
    } else {
      pending.manifest = std::move(*manifest);
    }
    pending.after = read_position(prefix, section);
    pending.half = section.has(prefix + "half");
    if (section.has(prefix + "begun_device")) {
      pending.next = read_position(prefix + "begun_", section);
    }
    log.pending.push_back(std::move(pending));
  }
  return log;
}

}  // namespace

Known known_of(const Position& position, std::uint64_t size, bool read) {
  // No digests, though bytes lie before the offset: the file could not be opened. An empty digest
  // says so; the digest of two empty texts would look like one of content.
  const bool unseen = position.head.empty() && position.offset > 0;
  return {position.id,
          position.offset,
          size,
          position.modified,
          unseen ? "" : digest_of(position),
          read,
          0};
}

std::string format_state(const State& state) {
  std::string out;
  append_key_value("version", kVersion, out);
  for (const Pattern& pattern : state.patterns) {
    out += '\n';
    append_key_value("pattern", encode_value(pattern.glob), out);
    append_key_value("pattern_since", std::to_string(pattern.since), out);
    if (pattern.partly) append_key_value("pattern_partly", "1", out);
  }
  for (const LogState& log : state.logs) {
    out += '\n';
    append_key_value("log", encode_value(log.log), out);
    append_key_value("run", log.run, out);
    append_key_value("sequence", std::to_string(log.sequence), out);
    if (log.half_open) append_key_value("half_open", "1", out);
    if (log.since) append_key_value("since", std::to_string(*log.since), out);
    if (log.file) append_position("file_", *log.file, out);
    if (log.aside) append_position("aside_", *log.aside, out);
    if (log.begun) append_position("begun_", *log.begun, out);
    if (log.first_look) {
      append_id("first_", log.first_look->id, out);
      append_key_value("first_size", std::to_string(log.first_look->size), out);
    }
    for (std::size_t i = 0; i < log.targets.size(); ++i) {
      append_key_value(numbered_key("target", i), encode_value(log.targets[i]), out);
    }
    for (std::size_t i = 0; i < log.shapes.size(); ++i) {
      append_key_value(numbered_key("shape", i), encode_value(log.shapes[i]), out);
    }
    if (!log.rules.empty()) append_key_value("rules", encode_value(log.rules), out);
    if (log.looked != 0) append_key_value("looked", std::to_string(log.looked), out);
    if (log.deserted_looks > 0) {
      append_key_value("deserted", std::to_string(log.deserted_looks), out);
    }
    // The outbox's identity matters only while extracts are pending in it.
    if (log.built_in && !log.pending.empty()) append_id("outbox_", *log.built_in, out);
    for (std::size_t i = 0; i < log.pending.size(); ++i) {
      const std::string prefix = pending_prefix(i);
      const std::string manifest = watcher::format_manifest(log.pending[i].manifest);
      append_key_value(prefix + "manifest", encode_value(manifest), out);
      append_position(prefix, log.pending[i].after, out);
      if (log.pending[i].half) append_key_value(prefix + "half", "1", out);
      if (log.pending[i].next) append_position(prefix + "begun_", *log.pending[i].next, out);
    }
    for (const Known& known : log.known) {
      out += '\n';
      append_known(known, out);
    }
    for (const Loss& loss : log.losses) {
      out += '\n';
      append_loss(loss, out);
    }
  }
  out += '\n';
  // The last line: parse_state() refuses a state that was cut off before it.
  append_key_value("end", "1", out);
  return out;
}

Result<State> parse_state(std::string_view text) {
  auto lines = watcher::parse_key_values(text, true);
  if (!lines) return fail(ErrorKind::fault, lines.error().message);
  // The version is judged before anything else: of a later version nothing can be understood. The
  // three lines are version, an empty one, and end.
  if (lines->size() < 3 || lines->front().key != "version" ||
      (lines->front().value != kVersion && lines->front().value != "1")) {
    return fail(ErrorKind::fault, "line 1: is not version=2");
  }
  // The state is renamed into place only after its fsync(2), and still a file system that lost
  // power may give back half of a file, which may end at a line's end.
  if (lines->back().key != "end") return fail(ErrorKind::fault, "its end is missing");
  State state;
  const KeyValue* const end = lines->data() + lines->size();
  for (const KeyValue* begin = lines->data(); begin < end;) {
    const KeyValue* last = begin;
    // An empty line, an entry without a key, ends a section.
    while (last < end && !last->key.empty()) ++last;
    Section section(begin, last);
    if (section.has("pattern")) {
      const std::int64_t since = section.has("pattern_since") ? section.time("pattern_since") : 0;
      state.patterns.push_back({section.decoded("pattern"), since, section.has("pattern_partly")});
    }
    if (section.has("log")) state.logs.push_back(read_log(section));
    // Sections of known files and of losses follow the log that they belong to.
    if (section.has("known")) {
      auto known = read_known(section.text("known"));
      if (!known || state.logs.empty()) {
        section.problem("known", "is not like this agent's");
      } else {
        if (section.has("missed")) known->missed = section.number("missed") > 0 ? 1 : 0;
        state.logs.back().known.push_back(std::move(*known));
      }
    }
    if (section.has("lost") && !state.logs.empty()) {
      const std::int64_t when = section.time("lost");
      state.logs.back().losses.push_back({when, section.decoded("lost_what")});
    }
    if (!section.problem().empty()) return fail(ErrorKind::fault, section.problem());
    begin = last + 1;
  }
  return state;
}

void remember_loss(LogState& log, std::int64_t when, std::string_view what) {
  log.losses.push_back({when, std::string(what.substr(0, kMostOfLoss))});
  if (log.losses.size() > kMostLosses) log.losses.erase(log.losses.begin());
}

std::string random_run() {
  std::array<unsigned char, 4> bytes{};
  // Early in a boot the call waits until the kernel's generator is ready; so few bytes are never
  // cut short by a signal (getrandom(2)).
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    // Kernels before 3.17 have no getrandom(2).
    auto random = open_file("/dev/urandom", O_RDONLY);
    // If that fails too, the run is 00000000. An extract name that is taken still begins a new run.
    [[maybe_unused]] const auto got = random ? ::read(random->get(), bytes.data(), 4) : 0;
  }
  std::string run;
  for (const unsigned byte : bytes) {
    run += "0123456789abcdef"[byte >> 4U];
    run += "0123456789abcdef"[byte & 15U];
  }
  return run;
}

}  // namespace caravel::tail
