// The formatter's parts, in bytes of the extract per second.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include <benchmark/benchmark.h>

#include "base/file.h"
#include "formatter/formatter.h"
#include "formatter/input/line_splitter.h"
#include "formatter/records/matcher.h"
#include "formatter/rows/sidecar.h"

namespace caravel::formatter {
namespace {

/// An extract of a few MB: the golden file's lines again and again.
const std::string& Extract() {
  static const std::string extract = [] {
    const auto few =
        read_file(CARAVEL_SOURCE_DIR "/tests/data/sample/hrt-sample-2012-03-09.log", 1 << 20);
    if (!few) std::abort();
    std::string many;
    while (many.size() < 8 << 20) many += *few;
    return many;
  }();
  return extract;
}

const Format& Spysocket() {
  static const FormatSet formats = *FormatSet::load({CARAVEL_SOURCE_DIR "/etc/formats"});
  return *formats.find("spysocket");
}

UniqueFd MemoryFile(std::string_view content) {
  UniqueFd fd(::memfd_create("bench", MFD_CLOEXEC));
  if (!write_all(fd.get(), content)) std::abort();
  return fd;
}

UniqueFd AtTheBeginning(const UniqueFd& fd) {
  ::lseek(fd.get(), 0, SEEK_SET);
  return UniqueFd(::dup(fd.get()));
}

void CountBytes(benchmark::State& state) {
  state.SetBytesProcessed(static_cast<std::int64_t>(Extract().size()) *
                          static_cast<std::int64_t>(state.iterations()));
}

void SplitLines(benchmark::State& state) {
  const UniqueFd file = MemoryFile(Extract());
  for ([[maybe_unused]] auto _ : state) {
    auto input = Input::open(AtTheBeginning(file), {.digest = false});
    LineSplitter splitter(*input, 1 << 20);
    Line line;
    while (*splitter.next(line)) benchmark::DoNotOptimize(line);
  }
  CountBytes(state);
}
BENCHMARK(SplitLines);

void MatchLines(benchmark::State& state) {
  const std::string text = Extract() + std::string(kReadableBehind, '\n');
  const YearTable years = YearTable::fixed(std::chrono::year(2012));
  Matcher matcher(Spysocket(), years);
  for ([[maybe_unused]] auto _ : state) {
    for (std::size_t at = 0; at < Extract().size();) {
      const std::size_t end = text.find('\n', at);
      benchmark::DoNotOptimize(matcher.match(text.data() + at, text.data() + end));
      at = end + 1;
    }
  }
  CountBytes(state);
}
BENCHMARK(MatchLines);

/// Arguments: whether a sidecar (ids) is written, whether SHA-256 is computed.
void FormatExtract(benchmark::State& state) {
  const UniqueFd file = MemoryFile(Extract());
  const UniqueFd nowhere = *open_file("/dev/null", O_WRONLY);
  FormatRequest request;
  request.format = &Spysocket();
  request.years = YearTable::fixed(std::chrono::year(2012));
  for ([[maybe_unused]] auto _ : state) {
    auto input = Input::open(AtTheBeginning(file), {.digest = state.range(1) != 0});
    Output csv(nowhere.get());
    Output sidecar(state.range(0) != 0 ? nowhere.get() : -1);
    Rejects rejects({"", "", ""});
    if (!format_extract(*input, request, {csv, sidecar, rejects})) std::abort();
  }
  CountBytes(state);
}
BENCHMARK(FormatExtract)->ArgNames({"ids", "sha256"})->Args({0, 0})->Args({1, 0})->Args({1, 1});

void ReadRowsBack(benchmark::State& state) {
  const UniqueFd file = MemoryFile(Extract());
  const UniqueFd csv_file = MemoryFile("");
  const UniqueFd sidecar_file = MemoryFile("");
  FormatRequest request;
  request.format = &Spysocket();
  request.years = YearTable::fixed(std::chrono::year(2012));
  auto input = Input::open(AtTheBeginning(file), {});
  Output csv(csv_file.get());
  Output sidecar(sidecar_file.get());
  Rejects rejects({"", "", ""});
  if (!format_extract(*input, request, {csv, sidecar, rejects})) std::abort();
  for ([[maybe_unused]] auto _ : state) {
    auto rows = RowReader::open(AtTheBeginning(csv_file), AtTheBeginning(sidecar_file));
    Row row;
    while (*rows->next(row)) benchmark::DoNotOptimize(row);
  }
  CountBytes(state);
}
BENCHMARK(ReadRowsBack);

}  // namespace
}  // namespace caravel::formatter
