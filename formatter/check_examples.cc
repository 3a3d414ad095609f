#include "formatter/check_examples.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/file.h"
#include "base/text.h"
#include "base/unique_fd.h"
#include "formatter/formatter.h"
#include "formatter/input/encoding.h"
#include "formatter/records/matcher.h"
#include "formatter/rows/csv.h"
#include "formatter/rows/sidecar.h"

namespace caravel::formatter {
namespace {

/// A file in memory that holds `content`, read from its start.
Result<UniqueFd> memory_file(std::string_view content) {
  UniqueFd file(::memfd_create("example", MFD_CLOEXEC));
  if (!file) return fail_with_errno("memfd_create", errno);
  CARAVEL_TRY(write_all(file.get(), content));
  ::lseek(file.get(), 0, SEEK_SET);
  return file;
}

struct MadeRow {
  std::string kind;
  Example::Cells cells;  // without those that are empty
};

/// What became of an example's lines.
struct Made {
  std::vector<MadeRow> rows;
  std::vector<std::string> reasons;
};

Result<std::vector<MadeRow>> read_rows(UniqueFd csv, UniqueFd sidecar) {
  ::lseek(csv.get(), 0, SEEK_SET);
  ::lseek(sidecar.get(), 0, SEEK_SET);
  CARAVEL_ASSIGN_OR_RETURN(auto reader, RowReader::open(std::move(csv), std::move(sidecar)));
  std::vector<MadeRow> rows;
  Row row;
  for (;;) {
    CARAVEL_ASSIGN_OR_RETURN(const bool more, reader.next(row));
    if (!more) return rows;
    MadeRow made{reader.header().kinds.at(row.kind), {}};
    std::vector<std::string_view> fields;
    std::string scratch;
    if (!split_csv_record(row.record, fields, scratch)) {
      return fail(ErrorKind::fault, "internal error: a record that is no CSV");
    }
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (fields[i].empty()) continue;
      made.cells.emplace_back(reader.header().columns.at(i).name, fields[i]);
    }
    rows.push_back(std::move(made));
  }
}

YearTable years_of(const Example& example) {
  return example.year ? YearTable::fixed(*example.year) : YearTable();
}

/// `text`, which is UTF-8 as all that YAML holds, in the encoding of the format's extracts. A
/// character that this has not stays as it is.
Result<std::string> encoded(std::string_view text, Encoding encoding) {
  // Without the mark of UTF-16, extracts of a format that says so are UTF-8 too.
  if (encoding == Encoding::utf8 || encoding == Encoding::utf16) return std::string(text);
  CARAVEL_ASSIGN_OR_RETURN(auto decoder, Decoder::open(encoding));
  std::map<std::string, char, std::less<>> bytes;
  for (int byte = 0x80; byte <= 0xff; ++byte) {
    std::string character;
    const auto one = static_cast<char>(byte);
    if (decoder.convert({&one, 1}, character).empty()) bytes.emplace(character, one);
  }
  std::string out;
  while (!text.empty()) {
    const std::string_view character = text.substr(0, std::max<std::size_t>(1, utf8_length(text)));
    const auto byte = bytes.find(character);
    byte == bytes.end() ? out.append(character) : out.append(1, byte->second);
    text.remove_prefix(character.size());
  }
  return out;
}

/// Runs the example as users run their extracts, so that what holds here holds there.
Result<Made> run_example(const Format& format, const Example& example) {
  CARAVEL_ASSIGN_OR_RETURN(
      const auto text,
      encoded(fmt::format("{}\n", fmt::join(example.lines, "\n")), format.encoding));
  CARAVEL_ASSIGN_OR_RETURN(auto extract, memory_file(text));
  CARAVEL_ASSIGN_OR_RETURN(auto input, Input::open(std::move(extract), {}));
  CARAVEL_ASSIGN_OR_RETURN(auto csv_file, memory_file(""));
  CARAVEL_ASSIGN_OR_RETURN(auto sidecar_file, memory_file(""));
  Output csv(csv_file.get());
  Output sidecar(sidecar_file.get());
  Made made;
  Rejects rejects([&made](std::uint64_t, std::uint64_t, std::string_view reason, std::string_view) {
    made.reasons.emplace_back(reason);
  });
  FormatRequest request;
  request.format = &format;
  request.years = years_of(example);
  CARAVEL_TRY(format_extract(input, request, {csv, sidecar, rejects}));
  CARAVEL_ASSIGN_OR_RETURN(made.rows, read_rows(std::move(csv_file), std::move(sidecar_file)));
  return made;
}

/// The kinds that drop lines of the example. A sidecar names those of rows only.
std::vector<std::string> kinds_that_drop(const Format& format, const Example& example) {
  std::vector<std::string> names;
  if (format.reader != Reader::pattern) return names;
  const YearTable years = years_of(example);
  Matcher matcher(format, years);
  for (const std::string& line : example.lines) {
    // The parsers want a line's end, and readable bytes behind it.
    const std::string_view trimmed = trim_line(line);
    const std::string text = std::string(trimmed) + std::string(1 + kReadableBehind, '\n');
    const auto kind = matcher.match(text.data(), text.data() + trimmed.size());
    if (kind && !format.kinds[*kind].keep) names.push_back(format.kinds[*kind].name);
  }
  return names;
}

std::string_view value_of(const Example::Cells& cells, const std::string& column) {
  for (const auto& [name, value] : cells) {
    if (name == column) return value;
  }
  return {};
}

/// Compares one example with what came of it.
class Comparison {
 public:
  Comparison(const Example& example, ExampleReport& report) : example_(example), report_(report) {}

  void rows(const std::vector<MadeRow>& made) {
    if (made.size() != example_.rows.size()) {
      differ(fmt::format("expected rows: {}, got: {}", example_.rows.size(), made.size()));
    }
    for (std::size_t i = 0; i < std::min(made.size(), example_.rows.size()); ++i) {
      row(example_.rows[i], made[i].cells);
      kind(made[i].kind);
    }
  }

  void kind(const std::string& made) {
    if (example_.kind.empty() || example_.kind == made) return;
    differ(fmt::format("kind: expected '{}', got '{}'", example_.kind, made));
  }

  void reasons(const std::vector<std::string>& made) {
    // What was rejected against all expectation says most of what is wrong.
    for (std::size_t i = 0; i < std::max(made.size(), example_.rejects.size()); ++i) {
      if (i >= example_.rejects.size()) {
        differ(fmt::format("rejected: {}", made[i]));
      } else if (i >= made.size()) {
        differ(fmt::format("expected a reject: '{}', got none", example_.rejects[i]));
      } else if (made[i].find(example_.rejects[i]) == std::string::npos) {
        differ(fmt::format("expected a reject: '{}', got: {}", example_.rejects[i], made[i]));
      }
    }
  }

 private:
  void row(const Example::Cells& expected, const Example::Cells& made) {
    for (const auto& [column, value] : expected) {
      const std::string_view got = value_of(made, column);
      if (got != value) differ(fmt::format("{}: expected '{}', got '{}'", column, value, got));
    }
    const auto named = [&](const std::string& column) {
      return std::any_of(expected.begin(), expected.end(),
                         [&](const auto& cell) { return cell.first == column; });
    };
    for (const auto& [column, value] : made) {
      if (!named(column)) differ(fmt::format("{}: expected nothing, got '{}'", column, value));
    }
  }

  void differ(const std::string& what) {
    report_.differences.push_back(fmt::format("{}: {}", example_.place, what));
  }

  const Example& example_;
  ExampleReport& report_;
};

}  // namespace

Result<ExampleReport> check_examples(const Format& format) {
  ExampleReport report;
  for (const Example& example : format.examples) {
    auto made = run_example(format, example);
    if (!made) {
      if (made.error().kind != ErrorKind::content) return tl::unexpected(std::move(made.error()));
      // An extract that is refused as a whole is one more way in which an example can be wrong.
      report.differences.push_back(
          fmt::format("{}: refused: {}", example.place, made.error().message));
      continue;
    }
    Comparison comparison(example, report);
    comparison.rows(made->rows);
    comparison.reasons(made->reasons);
    for (const MadeRow& row : made->rows) report.kinds.insert(row.kind);
    for (const std::string& kind : kinds_that_drop(format, example)) {
      comparison.kind(kind);
      report.kinds.insert(kind);
    }
    report.rejects += made->reasons.size();
  }
  return report;
}

}  // namespace caravel::formatter
