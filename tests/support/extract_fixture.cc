#include "tests/support/extract_fixture.h"

#include <sys/mman.h>
#include <unistd.h>

#include <stdexcept>

#include <fmt/format.h>

#include "base/file.h"
#include "formatter/rows/csv.h"

namespace caravel::testing {

UniqueFd unnamed_file(std::string_view content) {
  UniqueFd fd(::memfd_create("test", MFD_CLOEXEC));
  if (!write_all(fd.get(), content) || ::lseek(fd.get(), 0, SEEK_SET) != 0) {
    throw std::runtime_error("memfd");
  }
  return fd;
}

std::string TestExtract::csv() const {
  std::vector<std::string> names;
  for (const formatter::Column& column : columns) names.push_back(column.name);
  std::string text = formatter::csv_header(names);
  for (const TestRow& row : rows) text += row.record + "\n";
  return text;
}

formatter::RowReader TestExtract::reader() const {
  std::string sidecar = formatter::sidecar_header_text({format, columns, kinds});
  std::uint64_t place = 0;
  for (const TestRow& row : rows) {
    const std::uint64_t line = row.line != 0 ? row.line : place + 1;
    formatter::append_sidecar_row(line, place * 100, 0, row.record.size(), row.tail, sidecar);
    ++place;
  }
  sidecar +=
      formatter::sidecar_end_text({sha256, {rows.size() + dropped, rows.size(), dropped, 0}});
  auto reader = formatter::RowReader::open(unnamed_file(csv()), unnamed_file(sidecar));
  if (!reader) throw std::runtime_error(reader.error().message);
  return std::move(*reader);
}

TestExtract extract_of(std::size_t count, char digit, std::size_t first) {
  TestExtract extract;
  extract.sha256 = std::string(64, digit);
  for (std::size_t i = first; i < first + count; ++i) {
    extract.rows.push_back(
        {fmt::format("20120309T{:02}{:02}{:02}:V.1:{:06x}", i / 3600 % 24, i / 60 % 60, i % 60, i),
         fmt::format("2012-03-09,36.{}", i + 1), 0});
  }
  return extract;
}

uploader::ExtractInfo info_of(std::string name) {
  uploader::ExtractInfo info;
  info.feed = "hrt";
  info.name = std::move(name);
  info.host = "loader";
  info.timestamp = "2012-03-09T15:00:00Z";
  return info;
}

std::string id_of(const TestExtract& extract, std::size_t row) {
  return "hrt:" + extract.rows[row].tail;
}

}  // namespace caravel::testing
