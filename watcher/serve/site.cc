#include "watcher/serve/site.h"

#include <unistd.h>

#include <array>
#include <charconv>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/text.h"
#include "watcher/files/absolute_path.h"
#include "watcher/files/host_name.h"
#include "watcher/report/status.h"
#include "watcher/serve/metrics.h"
#include "watcher/serve/page/page.h"
#include "watcher/serve/page/page_files.h"
#include "watcher/status/question.h"

namespace caravel::watcher {
namespace {

constexpr const char* kHtml = "text/html; charset=utf-8";
constexpr const char* kJson = "application/json";

struct PageFile {
  std::string_view path;
  std::string_view file;
  const char* type;
};
constexpr std::array<PageFile, 3> kFiles{{{"/style.css", "style.css", "text/css; charset=utf-8"},
                                          {"/live.js", "live.js", "text/javascript; charset=utf-8"},
                                          {"/icon.svg", "icon.svg", "image/svg+xml"}}};

/// This process's memory that is in RAM (proc(5), /proc/PID/statm).
double resident_bytes() {
  constexpr std::size_t kMost = 256;
  const std::string text = read_file("/proc/self/statm", kMost).value_or("");
  std::uint64_t pages = 0;
  const std::size_t blank = text.find(' ');
  if (blank == std::string::npos) return 0;
  std::from_chars(text.data() + blank + 1, text.data() + text.size(), pages);
  return static_cast<double>(pages) * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

/// The same words as in `status --json`.
nlohmann::ordered_json problem_json(const Problem& problem) {
  return {{"level", name_of(problem.level)},
          {"kind", problem.kind},
          {"ready", problem.ready},
          {"text", problem.text}};
}

std::string json_text(const nlohmann::ordered_json& value) {
  return value.dump(2, ' ', true, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace

Site::Site(const Config& config, Snapshots::Clock clock, std::string version)
    : config_(config),
      clock_(clock),
      version_(std::move(version)),
      delays_(clock().wall),
      snapshots_([this](Time now) { return look_and_count(now); }, std::move(clock)) {}

Result<Overview> Site::look_and_count(Time now) {
  const StatusQuestion question = status_question(config_);
  CARAVEL_ASSIGN_OR_RETURN(auto ledger, open_ledger_to_look(config_));
  CARAVEL_TRY(delays_.advance(ledger, now));
  return build_overview(ledger, question, now);
}

Answer Site::answer(std::string_view path) {
  if (path == "/") return page();
  if (path == "/metrics") return metrics();
  if (path == "/readyz") return ready();
  if (path == "/status.json") return status();
  if (path == "/healthz") return {.body = "ok\n"};
  if (path == "/live") return {.type = "text/event-stream", .is_stream = true};
  for (const PageFile& file : kFiles) {
    if (path == file.path) return {.type = file.type, .body = std::string(page_file(file.file))};
  }
  return {.status = 404, .body = "There is: / /metrics /healthz /readyz /status.json\n"};
}

Answer Site::page() {
  const auto& overview = snapshots_.current();
  if (!overview) {
    return {.status = 503,
            .type = kHtml,
            .body = error_html("The ledger cannot be read", overview.error().message)};
  }
  return {.type = kHtml,
          .body = page_html(*overview, {host_name(), absolute_path(config_.file), version_})};
}

Answer Site::metrics() {
  const auto& overview = snapshots_.current();
  ServeFigures figures;
  figures.look_seconds = std::chrono::duration<double>(snapshots_.cost()).count();
  figures.resident_bytes = resident_bytes();
  figures.version = version_;
  return {.type = std::string(kMetricsType),
          .body = metrics_text(overview, delays_.sums(), figures)};
}

Answer Site::ready() {
  const auto& overview = snapshots_.current();
  nlohmann::ordered_json problems = nlohmann::ordered_json::array();
  bool is_ready = false;
  if (overview) {
    const Health& health = overview->report.health;
    is_ready = health.ready();
    for (const Problem& problem : health.problems) problems.push_back(problem_json(problem));
  } else {
    problems.push_back(
        problem_json({Level::critical, "ledger", shown(overview.error().message), false}));
  }
  return {.status = is_ready ? 200U : 503U,
          .type = kJson,
          .body = json_text({{"ready", is_ready}, {"problems", problems}})};
}

Answer Site::status() {
  const auto& overview = snapshots_.current();
  if (!overview) {
    return {.status = 503,
            .type = kJson,
            .body = json_text({{"error", shown(overview.error().message)}})};
  }
  return {.type = kJson, .body = status_json(overview->report)};
}

std::string Site::take_event() {
  // Ages on the page are told in seconds at first, later in minutes.
  constexpr std::chrono::seconds kGrowsOld{15};
  const auto now = clock_().steady;
  std::string stamp = stamp_of_ledger(config_);
  if (stamp == told_stamp_ && now - told_at_ < kGrowsOld) return {};
  told_stamp_ = std::move(stamp);
  told_at_ = now;
  const auto& overview = snapshots_.current();
  return fmt::format("event: changed\ndata: {}\n\n",
                     overview ? name_of(overview->report.health.level()) : "unknown");
}

}  // namespace caravel::watcher
