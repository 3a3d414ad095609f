// Records whose values come with names: JSON lines, logfmt, W3C logs, the journal's export.
#include <algorithm>
#include <unordered_map>

#include "formatter/records/json_object.h"
#include "formatter/records/logfmt.h"
#include "formatter/records/w3c.h"
#include "formatter/suggest/candidates.h"
#include "formatter/suggest/record_columns.h"

namespace caravel::formatter {
namespace {

constexpr std::size_t kMostObjects = 2000;
/// Members that are named as columns; the others are gathered in the column "more".
constexpr std::size_t kMostMembers = 100;
constexpr std::size_t kMostMembersOfALine = 1000;
constexpr std::size_t kLeastObjectPercent = 90;

/// What the members of the records that were seen are like.
class SeenMembers {
 public:
  explicit SeenMembers(StampFinder& stamps) : stamps_(stamps) {}

  void add(const std::vector<JsonMember>& members) {
    ++records_;
    members_ += members.size();
    for (const JsonMember& member : members) add(member);
  }

  [[nodiscard]] std::size_t records() const { return records_; }
  [[nodiscard]] std::size_t members() const { return members_; }

  /// Drafts for such records.
  [[nodiscard]] std::vector<Draft> drafts(const char* reader, const char* about,
                                          bool repeated_lines) const {
    Draft draft;
    draft.about = about;
    draft.reader = reader;
    for (const RecordColumn& column : columns_) {
      draft.columns.push_back(column.draft());
      // A member that is missing leaves its column empty, and a key should be there in every row.
      if (column.values() < records_) {
        draft.columns.back().about += "; in some lines";
        draft.columns.back().may_be_key = false;
      }
    }
    if (unnamed_ > 0) {
      draft.notes.emplace_back("Members without a column come into the column `more`.");
    }
    draft.key = choose_key(draft.columns);
    std::vector<RecordColumn> complete;
    std::copy_if(columns_.begin(), columns_.end(), std::back_inserter(complete),
                 [&](const RecordColumn& column) { return column.values() * 20 >= records_ * 19; });
    return with_times(draft, choose_times(complete), repeated_lines);
  }

 private:
  void add(const JsonMember& member) {
    auto place = places_.find(member.name);
    if (place == places_.end()) {
      if (columns_.size() == kMostMembers || member.name.empty() ||
          sample_of(member.name).lines != std::vector<std::string_view>{member.name}) {
        ++unnamed_;
        return;
      }
      place = places_.emplace(member.name, columns_.size()).first;
      columns_.emplace_back(member.name);
    }
    columns_[place->second].add(member.text, stamps_);
  }

  StampFinder& stamps_;
  std::vector<RecordColumn> columns_;
  std::unordered_map<std::string, std::size_t> places_;
  std::size_t records_ = 0;
  std::size_t members_ = 0;
  std::size_t unnamed_ = 0;
};

bool are_most(std::size_t records, std::size_t lines) {
  return records > 0 && records * 100 >= lines * kLeastObjectPercent;
}

std::vector<Draft> json_drafts(const std::vector<std::string_view>& lines, bool repeated,
                               StampFinder& stamps) {
  JsonObjectReader reader(kMostMembersOfALine);
  SeenMembers seen(stamps);
  for (const std::string_view line : lines) {
    if (!line.starts_with('{')) continue;
    if (const auto members = reader.read(line)) seen.add(*members);
  }
  if (!are_most(seen.records(), lines.size())) return {};
  return seen.drafts("jsonl", "JSON lines", repeated);
}

std::vector<Draft> logfmt_drafts(const std::vector<std::string_view>& lines, bool repeated,
                                 StampFinder& stamps) {
  SeenMembers seen(stamps);
  for (const std::string_view line : lines) {
    if (const auto members = read_logfmt(line, kMostMembersOfALine)) seen.add(*members);
  }
  // One pair a line is a setting, or a word with a sign in it.
  if (!are_most(seen.records(), lines.size()) || seen.members() < 2 * seen.records()) return {};
  return seen.drafts("logfmt", "logfmt: key=value pairs", repeated);
}

/// `all`: what the lines are is said once, wherever that is.
std::vector<Draft> w3c_drafts(const std::vector<std::string_view>& all, bool repeated,
                              StampFinder& stamps) {
  W3cLines reader(kMostMembersOfALine);
  SeenMembers seen(stamps);
  std::size_t lines = 0;
  for (const std::string_view line : all) {
    if (W3cLines::is_directive(line)) {
      (void)reader.direct(line);
    } else if (lines++ < kMostObjects) {
      if (const auto members = reader.read(line)) seen.add(*members);
    }
  }
  if (!are_most(seen.records(), std::min(lines, kMostObjects))) return {};
  return seen.drafts("w3c", "W3C extended log", repeated);
}

/// Its fields are known; which of them a log has is not looked at.
std::vector<Draft> journal_drafts(const std::vector<std::string_view>& lines) {
  const bool begins = !lines.empty() && lines[0].starts_with("__CURSOR=");
  if (!begins || lines.size() < 2 || !lines[1].starts_with("__REALTIME_TIMESTAMP=")) return {};
  Draft draft;
  draft.about = "the journal of systemd (journalctl -o export)";
  draft.reader = "journal";
  draft.time = "{column: __REALTIME_TIMESTAMP, format: epoch(us)}";
  draft.key = "_HOSTNAME";
  for (const char* name : {"__REALTIME_TIMESTAMP", "_HOSTNAME", "SYSLOG_IDENTIFIER", "_PID",
                           "PRIORITY", "_SYSTEMD_UNIT", "MESSAGE", "__CURSOR"}) {
    draft.columns.emplace_back().name = name;
  }
  draft.by_position = false;
  draft.identity_reason = "__CURSOR is another one in each entry";
  return {draft};
}

}  // namespace

std::vector<Draft> object_drafts(const Sample& sample, StampFinder& stamps) {
  const auto lines = spread(sample.lines, kMostObjects);
  const bool repeated = has_repeated_lines(sample.lines);
  if (auto drafts = json_drafts(lines, repeated, stamps); !drafts.empty()) return drafts;
  if (auto drafts = journal_drafts(sample.lines); !drafts.empty()) return drafts;
  if (auto drafts = logfmt_drafts(lines, repeated, stamps); !drafts.empty()) return drafts;
  return w3c_drafts(sample.lines, repeated, stamps);
}

}  // namespace caravel::formatter
