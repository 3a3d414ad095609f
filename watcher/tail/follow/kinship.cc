#include "watcher/tail/follow/kinship.h"

#include <algorithm>

#include "watcher/tail/files/paths.h"
#include "watcher/tail/names/glob.h"

namespace caravel::tail {
namespace {

/// In a pattern of `--siblings`: the log's name, without its directory.
constexpr std::string_view kLogsName = "{}";

/// The name without its extension: what a rotated file in another directory should have in its
/// name.
std::string stem_of(const std::string& path) {
  const std::string base = base_of(path);
  const std::size_t dot = base.rfind('.');
  return dot == std::string::npos || dot == 0 ? base : base.substr(0, dot);
}

}  // namespace

bool Kinship::is_own_name(const std::string& path) const {
  const auto& targets = state_.targets;
  return path == state_.log || (std::find(targets.begin(), targets.end(), path) != targets.end() &&
                                !is_another_log(path));
}

std::vector<std::string> Kinship::shapes_beside(const std::string& target) const {
  std::vector<std::string> shapes = state_.shapes;
  std::string shape = shape_of(base_of(target));
  if (!shape.empty()) shapes.push_back(std::move(shape));
  return shapes;
}

std::optional<Kin> Kinship::kin_at(const std::string& path) const {
  const std::string directory = directory_of(path);
  const std::string base = base_of(path);
  std::optional<Kin> doubtful;
  const auto beside = [&](const std::string& log,
                          const std::vector<std::string>& shapes) -> std::optional<Kin> {
    auto kin = directory_of(log) == directory ? kin_of(base, base_of(log), shapes) : std::nullopt;
    if (!kin || kin->proof == Proof::none) return kin;
    if (!doubtful || kin->proof < doubtful->proof) doubtful = kin;
    return std::nullopt;
  };
  if (auto kin = beside(state_.log, state_.shapes)) return kin;
  for (const std::string& target : state_.targets) {
    if (is_another_log(target)) continue;
    if (auto kin = beside(target, shapes_beside(target))) return kin;
  }
  if (auto kin = kin_by_pattern(path)) return kin;
  return doubtful;
}

std::optional<Kin> Kinship::kin_by_pattern(const std::string& path) const {
  if (rules_.siblings.empty() || is_own_name(path)) return std::nullopt;
  const std::string base = base_of(path);
  // Of several logs, the file's name must say whose it is.
  const bool only_log = rules_.logs.size() == 1 && !is_pattern(rules_.logs.front());
  const bool names_log = only_log || base.find(stem_of(state_.log)) != std::string::npos;
  const auto fits = [&](const std::string& given) {
    const bool is_ours = names_log || given.find(kLogsName) != std::string::npos;
    return is_ours && matches(filled(given), path);
  };
  if (std::none_of(rules_.siblings.begin(), rules_.siblings.end(), fits)) return std::nullopt;
  if (auto kin = kin_of(base, base_of(state_.log))) return Kin{kin->rotation};
  // No count that other names go on with: the times tell the order.
  return Kin{std::string(digits_of(base)) + "-"};
}

std::string Kinship::filled(std::string pattern) const {
  const std::size_t place = pattern.find(kLogsName);
  if (place != std::string::npos) {
    pattern.replace(place, kLogsName.size(), escaped(base_of(state_.log)));
  }
  if (pattern.starts_with('/')) return pattern;
  return escaped(directory_of(state_.log)) + "/" + pattern;
}

std::string Kinship::rules() const {
  std::string rules = "2";
  for (const std::string& pattern : rules_.siblings) rules += "\n" + pattern;
  return rules;
}

bool Kinship::every_agent_knows(const std::string& path) const {
  const auto rotates = [&](const std::string& log) {
    return directory_of(log) == directory_of(path) && rotation_of(base_of(path), base_of(log));
  };
  return is_own_name(path) || rotates(state_.log) ||
         std::any_of(state_.targets.begin(), state_.targets.end(), rotates);
}

std::vector<std::string> Kinship::patterns() const {
  std::vector<std::string> out;
  for (const std::string& pattern : rules_.siblings) out.push_back(filled(pattern));
  return out;
}

std::vector<std::string> Kinship::directories() const {
  std::vector<std::string> out{directory_of(state_.log)};
  for (const std::string& target : state_.targets) {
    if (!is_another_log(target)) out.push_back(directory_of(target));
  }
  for (const std::string& pattern : patterns()) {
    std::string directory = directory_of(pattern);
    // A directory with wildcards is looked through only when something else calls for a look.
    if (is_pattern(directory)) continue;
    std::erase(directory, '\\');
    out.push_back(std::move(directory));
  }
  return out;
}

bool Kinship::is_another_log(const std::string& path) const {
  return path != state_.log &&
         std::any_of(rules_.logs.begin(), rules_.logs.end(), [&](const std::string& log) {
           return log != state_.log && (log == path || (is_pattern(log) && matches(log, path)));
         });
}

bool Kinship::is_a_log_by_pattern(const std::string& path) const {
  return std::any_of(rules_.logs.begin(), rules_.logs.end(), [&](const std::string& log) {
    return log == path || (is_pattern(log) && matches(log, path));
  });
}

}  // namespace caravel::tail
