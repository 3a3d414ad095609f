// Extracts for the tests of stores: rows by hand, as the formatter hands them over.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "formatter/rows/sidecar.h"
#include "uploader/store.h"

namespace caravel::testing {

struct TestRow {
  std::string tail;        // "20120309T094800:V.1:d1"
  std::string record;      // the CSV record
  std::uint64_t line = 0;  // 0: the row's place among the rows, from 1
};

/// An extract that exists only as its CSV and sidecar. reader() may be called again and again.
struct TestExtract {
  std::string sha256 = std::string(64, 'a');
  std::string format = "test";
  std::vector<formatter::Column> columns = {{"Date", formatter::ColumnType::text},
                                            {"Lat", formatter::ColumnType::number}};
  std::vector<std::string> kinds = {"location"};
  std::vector<TestRow> rows;
  std::uint64_t dropped = 0;

  [[nodiscard]] formatter::RowReader reader() const;
  /// The CSV that reader() reads.
  [[nodiscard]] std::string csv() const;
};

/// `count` different rows, in lines 1 to `count`; their numbers start at `first`.
[[nodiscard]] TestExtract extract_of(std::size_t count, char digit = 'a', std::size_t first = 0);

/// What the rows of feed "hrt" say of their extract.
[[nodiscard]] uploader::ExtractInfo info_of(std::string name = "a.log");

/// The id of a row of feed "hrt".
[[nodiscard]] std::string id_of(const TestExtract& extract, std::size_t row);

/// A file without a name that holds `content`, at offset 0.
[[nodiscard]] UniqueFd unnamed_file(std::string_view content);

}  // namespace caravel::testing
