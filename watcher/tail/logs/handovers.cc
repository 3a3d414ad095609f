#include "watcher/tail/logs/handovers.h"

#include <algorithm>
#include <utility>

#include "base/file.h"
#include "watcher/tail/files/paths.h"
#include "watcher/tail/names/rotation.h"

namespace caravel::tail {
namespace {

/// Logs of one logger have the same; empty if there are no others.
std::string family_of(const std::string& path) {
  const std::string shape = shape_of(base_of(path));
  return shape.empty() ? shape : directory_of(path) + "/" + shape;
}

bool is_older(const Stamp& a, const Stamp& b) { return a.id.born < b.id.born; }

bool is_followed_by(const Stamp& before, const Stamp& next) {
  constexpr std::int64_t kClockStep = 10'000'000;  // of the times of files
  return before.id.born != 0 && is_older(before, next) &&
         next.id.born >= before.modified - kClockStep;
}

/// NUL bytes are a hole, not a line. What cannot be read is taken for whole.
bool ends_within_line(const std::string& path, const Stamp& expected) {
  const auto file = open_log(path);
  if (!file) return false;
  const auto stamp = stamp_of(file->get());
  if (!stamp || !same_file(stamp->id, expected.id) || stamp->size == 0) return false;
  char last = '\n';
  const auto got = read_at(file->get(), stamp->size - 1, &last, 1);
  return got && *got == 1 && last != '\n' && last != '\0';
}

}  // namespace

void Handovers::begin_look(std::vector<std::string> paths) {
  paths_ = std::move(paths);
  logs_.reset();
}

std::map<std::string, Handovers::Logs> Handovers::look() const {
  std::map<std::string, Logs> found;
  for (const std::string& path : paths_) {
    const std::string family = family_of(path);
    if (family.empty()) continue;
    const auto stamp = stamp_of(path);
    if (stamp && *stamp && (*stamp)->regular) found[family].push_back({path, **stamp});
  }
  for (auto& [family, logs] : found) {
    std::sort(logs.begin(), logs.end(),
              [](const Log& a, const Log& b) { return is_older(a.file, b.file); });
  }
  return found;
}

const Handovers::Logs& Handovers::logs_like(const std::string& path) const {
  static const Logs kNone;
  if (paths_.empty()) return kNone;
  if (!logs_) logs_ = look();
  const auto found = logs_->find(family_of(path));
  return found == logs_->end() ? kNone : found->second;
}

Handovers::FirstLine Handovers::first_line_of(const std::string& path, const Stamp& file,
                                              std::int64_t still) const {
  const Logs& logs = logs_like(path);
  const auto place = std::lower_bound(
      logs.begin(), logs.end(), file,
      [](const Log& log, const Stamp& stamp) { return is_older(log.file, stamp); });
  if (place == logs.begin()) return FirstLine::whole;
  const Log& before = *std::prev(place);
  if (!is_followed_by(before.file, file) || !ends_within_line(before.path, before.file)) {
    return FirstLine::whole;
  }
  return before.file.modified <= still ? FirstLine::second_half : FirstLine::not_known;
}

bool Handovers::was_left(const std::string& path, const Stamp& file) const {
  const Logs& logs = logs_like(path);
  const auto next = std::upper_bound(
      logs.begin(), logs.end(), file,
      [](const Stamp& stamp, const Log& log) { return is_older(stamp, log.file); });
  return next != logs.end() && is_followed_by(file, next->file);
}

}  // namespace caravel::tail
