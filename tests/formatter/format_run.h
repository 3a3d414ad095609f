// Runs format_extract over bytes in a temporary directory and holds what came out. Whatever went
// in, it checks what must always be true.
#pragma once

#include <fcntl.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "base/file.h"
#include "formatter/formatter.h"
#include "formatter/rows/sidecar.h"
#include "tests/support/temp_dir.h"

namespace caravel::test {

/// The shipped formats.
inline const formatter::FormatSet& ShippedFormats() {
  static const formatter::FormatSet formats = [] {
    auto loaded = formatter::FormatSet::load({CARAVEL_SOURCE_DIR "/etc/formats"});
    if (!loaded) throw std::runtime_error(loaded.error().message);
    return std::move(*loaded);
  }();
  return formats;
}

/// The format that `yaml` describes; errors name `file`.
inline Result<formatter::Format> CompileYaml(const std::string& yaml,
                                             const std::string& file = "f.yaml") {
  CARAVEL_ASSIGN_OR_RETURN(const auto root, YamlNode::parse(yaml, file));
  return formatter::compile_format(root);
}

/// What came out of one run.
struct FormatRun {
  bool ok = false;
  Error error;
  formatter::FormatResult result;
  std::string csv;
  std::string sidecar;
  std::string rejects;
  std::string reasons;
  std::string cut;
  std::vector<std::string> id_tails;
  std::vector<std::uint64_t> lines;    // of the rows
  std::vector<std::uint64_t> offsets;  // of the rows
  std::vector<std::string> kinds;      // of the rows
  std::vector<std::string> records;

  /// "3 lines, 1 row, …": easier to read in a failure than four numbers.
  [[nodiscard]] std::string counts() const {
    const formatter::Counts& c = result.counts;
    return std::to_string(c.lines) + " = " + std::to_string(c.rows) + " rows + " +
           std::to_string(c.dropped) + " dropped + " + std::to_string(c.rejected) + " rejected";
  }
};

namespace internal {

inline void ReadBackRows(const TempDir& dir, FormatRun& run) {
  auto rows = formatter::RowReader::open(*open_file(dir.path("csv"), O_RDONLY),
                                         *open_file(dir.path("sidecar"), O_RDONLY));
  ASSERT_TRUE(rows) << rows.error().message;
  EXPECT_EQ(rows->end().sha256, run.result.sha256);
  EXPECT_EQ(rows->end().counts.lines, run.result.counts.lines);
  formatter::Row row;
  for (;;) {
    const auto more = rows->next(row);
    ASSERT_TRUE(more) << more.error().message;
    if (!*more) break;
    run.id_tails.emplace_back(row.id_tail);
    run.lines.push_back(row.line);
    run.offsets.push_back(row.offset);
    run.kinds.push_back(rows->header().kinds.at(row.kind));
    run.records.emplace_back(row.record);
  }
  EXPECT_EQ(run.records.size(), run.result.counts.rows);
  EXPECT_TRUE(std::is_sorted(run.lines.begin(), run.lines.end()));
}

}  // namespace internal

/// If `request` names neither formats nor a format, the shipped formats are used.
inline FormatRun Format(std::string_view extract, formatter::FormatRequest request,
                        const formatter::FormatMonitor& monitor = {},
                        const formatter::Input::Options& options = {}) {
  const TempDir dir;
  if (request.format == nullptr && request.formats == nullptr) request.formats = &ShippedFormats();
  FormatRun run;
  auto input =
      formatter::Input::open(*open_file(dir.write_file("extract", extract), O_RDONLY), options);
  if (!input) {
    run.error = input.error();
    return run;
  }
  {
    const UniqueFd csv_fd = *open_file(dir.path("csv"), O_WRONLY | O_CREAT);
    const UniqueFd sidecar_fd = *open_file(dir.path("sidecar"), O_WRONLY | O_CREAT);
    formatter::Output csv(csv_fd.get());
    formatter::Output sidecar(sidecar_fd.get());
    formatter::Rejects rejects({dir.path("rejects"), dir.path("reasons"), dir.path("cut")});
    auto result = formatter::format_extract(*input, request, {csv, sidecar, rejects}, monitor);
    if (!result) {
      run.error = result.error();
      return run;
    }
    run.result = std::move(*result);
    EXPECT_EQ(rejects.has_lines(), dir.exists("rejects"));
    EXPECT_EQ(rejects.has_cut(), dir.exists("cut"));
    EXPECT_EQ(rejects.has_reasons(), dir.exists("reasons"));
  }
  run.ok = true;
  run.csv = dir.read_file("csv");
  run.sidecar = dir.read_file("sidecar");
  if (dir.exists("rejects")) run.rejects = dir.read_file("rejects");
  if (dir.exists("reasons")) run.reasons = dir.read_file("reasons");
  if (dir.exists("cut")) run.cut = dir.read_file("cut");
  const formatter::Counts& counts = run.result.counts;
  EXPECT_EQ(counts.lines, counts.row_lines() + counts.dropped + counts.rejected);
  auto kept = std::ranges::count(run.rejects, '\n');
  if (kept > 0 && !run.result.rejects_header.empty()) --kept;
  if (dir.exists("cut")) kept += 1 + std::ranges::count(run.cut, '\n');
  EXPECT_EQ(counts.rejected, static_cast<std::uint64_t>(kept)) << "every reject is kept";
  internal::ReadBackRows(dir, run);
  return run;
}

/// With a shipped format, by name, and every date in 2012.
inline FormatRun FormatAs(const char* format, std::string_view extract) {
  formatter::FormatRequest request;
  request.format = ShippedFormats().find(format);
  if (request.format == nullptr) throw std::runtime_error(format);
  request.years = formatter::YearTable::fixed(std::chrono::year(2012));
  return Format(extract, request);
}

}  // namespace caravel::test
