#include "formatter/rows/sidecar.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "formatter/rows/csv.h"

namespace caravel::formatter {
namespace {

using nlohmann::json;

/// The number is the version of the format; RowReader refuses every other.
constexpr std::string_view kMagic = "caravel-sidecar 1\n";
/// The size of a window in bytes, until a record or a line needs a larger one.
constexpr std::size_t kWindowBytes = 256 * 1024;

/// The names are part of the file format (docs/sidecar.md).
const char* type_name(ColumnType type) {
  switch (type) {
    case ColumnType::number:
      return "number";
    case ColumnType::automatic:
      return "automatic";
    case ColumnType::json:
      return "json";
    case ColumnType::text:
      break;
  }
  return "text";
}

/// An unknown type is text: what a later version has added can still be stored as it is written.
ColumnType type_of(const std::string& name) {
  if (name == "number") return ColumnType::number;
  if (name == "automatic") return ColumnType::automatic;
  if (name == "json") return ColumnType::json;
  return ColumnType::text;
}

/// These are our own files, made from an extract that is still there: kind retry means that it is
/// formatted again.
tl::unexpected<Error> broken(std::string_view what) {
  return fail(ErrorKind::retry, fmt::format("sidecar: {}", what));
}

/// Takes a decimal number and the blank behind it off the front of `text`.
template <class Number>
bool take_number(std::string_view& text, Number& out) {
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (status != std::errc{} || end == text.data() + text.size() || *end != ' ') return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
  return true;
}

/// Takes `<line>` or `<line>+<more>` and the blank behind it off the front of `text`.
bool take_lines(std::string_view& text, Row& row) {
  const char* const end_of_text = text.data() + text.size();
  const auto [end, status] = std::from_chars(text.data(), end_of_text, row.line);
  row.lines = 1;
  if (status == std::errc{} && end != end_of_text && *end == '+') {
    text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
    std::uint64_t more = 0;
    // So many that the sum overflows are no lines of a file.
    if (!take_number(text, more) || more == 0 || more > (std::uint64_t{1} << 62)) return false;
    row.lines += more;
    return true;
  }
  return take_number(text, row.line);
}

/// A text of JSON. What is plain ASCII, and nearly all names are, stands for itself.
void append_json(std::string_view value, std::string& out) {
  const bool plain = std::all_of(value.begin(), value.end(), [](char c) {
    return c >= ' ' && c <= '~' && c != '"' && c != '\\';
  });
  if (plain) {
    out.append("\"").append(value).append("\"");
  } else {
    out += json(value).dump();
  }
}

/// In the place of the comma behind its last element, if it has any.
void close_list(std::string& out) {
  if (out.back() == ',') out.pop_back();
  out.push_back(']');
}

/// The end line, of the last bytes of a sidecar.
Result<SidecarEnd> find_end(std::string_view text) {
  const std::size_t at = text.rfind("\nend ");
  if (at == std::string_view::npos || text.back() != '\n') return broken("its end line is missing");
  return parse_sidecar_end(text.substr(at + 5));
}

/// The same, read from the end of the file. It is written last: if it is there, a crash has cut
/// nothing off.
Result<SidecarEnd> read_end(int fd) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return fail_with_errno("sidecar: stat", errno);
  // An end line has some 200 bytes: a digest and four counts.
  char tail[1024];
  // Only the end is read: rows are read once, when they are uploaded.
  const off_t from = std::max<off_t>(0, status.st_size - static_cast<off_t>(sizeof tail));
  auto got = read_at(fd, static_cast<std::uint64_t>(from), tail, sizeof tail);
  if (!got) return tl::unexpected(with_context("sidecar", std::move(got).error()));
  return find_end({tail, *got});
}

}  // namespace

// As the library writes it, without its tree: a small extract has few bytes besides. The members
// are sorted by name, so the same header makes the same bytes.
std::string sidecar_header_text(const SidecarHeader& header) {
  std::string text(kMagic);
  text += R"({"columns":[)";
  for (const Column& column : header.columns) {
    text += R"({"name":)";
    append_json(column.name, text);
    text += R"(,"type":)";
    append_json(type_name(column.type), text);
    text += "},";
  }
  close_list(text);
  text += R"(,"format":)";
  append_json(header.format, text);
  text += R"(,"kinds":[)";
  for (const std::string& kind : header.kinds) {
    append_json(kind, text);
    text.push_back(',');
  }
  close_list(text);
  return text + "}\n";
}

std::string sidecar_end_text(const SidecarEnd& end) {
  json object = {{"sha256", end.sha256},
                 {"lines", end.counts.lines},
                 {"rows", end.counts.rows},
                 {"dropped", end.counts.dropped},
                 {"rejected", end.counts.rejected}};
  // Said only where a record spans lines.
  if (end.counts.more_lines > 0) object["more_lines"] = end.counts.more_lines;
  return fmt::format("end {}\n", object.dump());
}

Result<SidecarHeader> parse_sidecar_header(std::string_view text) {
  try {
    // The library throws for broken JSON, a missing member and a wrong type alike.
    const json object = json::parse(text);
    SidecarHeader header;
    header.format = object.at("format").get<std::string>();
    for (const json& column : object.at("columns")) {
      header.columns.push_back(
          {column.at("name").get<std::string>(), type_of(column.at("type").get<std::string>())});
    }
    header.kinds = object.at("kinds").get<std::vector<std::string>>();
    return header;
  } catch (const json::exception& e) {
    return broken(e.what());
  }
}

namespace {

/// The extracts of a feed have the same header, and small ones come by the thousand: a header is
/// parsed once as long as no other comes in between.
Result<SidecarHeader> header_of(std::string_view text) {
  thread_local std::string last_text;
  thread_local SidecarHeader last;
  if (text != last_text) {
    CARAVEL_ASSIGN_OR_RETURN(last, parse_sidecar_header(text));
    last_text = text;
  }
  return last;
}

}  // namespace

Result<SidecarEnd> parse_sidecar_end(std::string_view text) {
  try {
    const json object = json::parse(text);
    SidecarEnd end;
    end.sha256 = object.at("sha256").get<std::string>();
    for (const auto& [name, count] :
         {std::pair{"lines", &end.counts.lines}, std::pair{"rows", &end.counts.rows},
          std::pair{"dropped", &end.counts.dropped}, std::pair{"rejected", &end.counts.rejected},
          std::pair{"more_lines", &end.counts.more_lines}}) {
      // Left out where each record is one line.
      if (count == &end.counts.more_lines && !object.contains(name)) continue;
      const json& value = object.at(name);
      // The library would make a count out of a fraction, a negative number and 1e44 alike.
      if (!value.is_number_unsigned()) return broken(fmt::format("{} is not a count", name));
      *count = value.get<std::uint64_t>();
    }
    if (!end.counts.add_up()) return broken("the counts of its end line do not add up");
    return end;
  } catch (const json::exception& e) {
    return broken(e.what());
  }
}

// Without JSON: there is one of these for each row, and it should cost little beside the record.
char* put_sidecar_row(std::uint64_t line, std::uint64_t offset, std::uint32_t kind,
                      std::uint64_t length, std::string_view id_tail, char* at,
                      std::uint64_t lines) {
  constexpr std::size_t kMostDigits = 20;
  const auto put_number = [&at](std::uint64_t number, char behind) {
    at = std::to_chars(at, at + kMostDigits, number).ptr;
    *at++ = behind;
  };
  put_number(line, lines > 1 ? '+' : ' ');
  if (lines > 1) put_number(lines - 1, ' ');
  put_number(offset, ' ');
  put_number(kind, ' ');
  put_number(length, ' ');
  std::memcpy(at, id_tail.data(), id_tail.size());
  at += id_tail.size();
  *at++ = '\n';
  return at;
}

void append_sidecar_row(std::uint64_t line, std::uint64_t offset, std::uint32_t kind,
                        std::uint64_t length, std::string_view id_tail, std::string& out,
                        std::uint64_t lines) {
  const std::size_t before = out.size();
  out.resize(before + kMostSidecarNumbers + id_tail.size());
  const char* const end =
      put_sidecar_row(line, offset, kind, length, id_tail, out.data() + before, lines);
  out.resize(static_cast<std::size_t>(end - out.data()));
}

Result<bool> RowReader::Window::need(std::size_t size) {
  if (until - from >= size) return true;
  // The bytes move, so views that were given out before are no longer valid, as next() says.
  if (from > 0) {
    std::memmove(buffer.data(), buffer.data() + from, until - from);
    until -= from;
    from = 0;
  }
  // Grows for a record that is longer than the window, and only then.
  if (buffer.size() < size) buffer.resize(std::max(size, kWindowBytes));
  while (until < size) {
    if (!fd) return false;  // all of it was in memory
    CARAVEL_ASSIGN_OR_RETURN(auto got,
                             read_some(fd.get(), buffer.data() + until, buffer.size() - until));
    // Whatever the sidecar promises, the file ends here.
    if (got == 0) return false;
    until += got;
  }
  return true;
}

Result<bool> RowReader::Window::line(std::string_view& out) {
  std::size_t searched = 0;
  for (;;) {
    const char* begin = buffer.data() + from;
    const void* found = until > from + searched
                            ? std::memchr(begin + searched, '\n', until - from - searched)
                            : nullptr;
    if (found != nullptr) {
      out = {begin, static_cast<std::size_t>(static_cast<const char*>(found) - begin)};
      from += out.size() + 1;
      return true;
    }
    // What was searched is not searched again: a long line comes in many pieces.
    searched = until - from;
    CARAVEL_ASSIGN_OR_RETURN(auto more, need(searched + 1));
    if (!more) return false;
  }
}

Result<RowReader> RowReader::open(UniqueFd csv, UniqueFd sidecar) {
  RowReader reader;
  // Before anything else: a sidecar that a crash or a full disk has cut off must not give a single
  // row.
  CARAVEL_ASSIGN_OR_RETURN(auto end, read_end(sidecar.get()));
  reader.end_ = std::move(end);
  struct stat status {};
  if (::fstat(csv.get(), &status) != 0) return fail_with_errno("csv: stat", errno);
  reader.csv_bytes_ = static_cast<std::uint64_t>(status.st_size);
  // The copy is for csv_fd(): pread(2) on it does not move the offset that records_ reads at.
  reader.csv_ = UniqueFd(::fcntl(csv.get(), F_DUPFD_CLOEXEC, 0));
  if (!reader.csv_) return fail_with_errno("csv: dup", errno);
  reader.records_.fd = std::move(csv);
  reader.rows_.fd = std::move(sidecar);
  CARAVEL_TRY(reader.read_headers());
  return reader;
}

Result<RowReader> RowReader::open(std::string csv, std::string sidecar) {
  RowReader reader;
  CARAVEL_ASSIGN_OR_RETURN(reader.end_, find_end(sidecar));
  reader.csv_bytes_ = csv.size();
  const auto take = [](std::string bytes, Window& window) {
    window.until = bytes.size();
    window.buffer = std::move(bytes);
  };
  take(std::move(csv), reader.records_);
  take(std::move(sidecar), reader.rows_);
  CARAVEL_TRY(reader.read_headers());
  return reader;
}

Result<> RowReader::read_headers() {
  std::string_view line;
  // Another version may mean something else by every byte that follows.
  auto got = rows_.line(line);
  if (!got || !*got || line != kMagic.substr(0, kMagic.size() - 1)) {
    return broken("not a sidecar of this version");
  }
  got = rows_.line(line);
  if (!got || !*got) return broken("its header is missing");
  CARAVEL_ASSIGN_OR_RETURN(header_, header_of(line));

  // The CSV must begin with the header that the names of the columns make, so its length is known.
  std::vector<std::string> names;
  for (const Column& column : header_.columns) names.push_back(column.name);
  const std::string expected = csv_header(names);
  CARAVEL_ASSIGN_OR_RETURN(auto whole, records_.need(expected.size()));
  if (!whole || std::string_view(records_.buffer.data(), expected.size()) != expected) {
    return broken("its columns are not those of the CSV");
  }
  // The first record begins behind the header, and next() counts the bytes of the CSV from there.
  records_.from = expected.size();
  csv_at_ = expected.size();
  return {};
}

Result<bool> RowReader::next(Row& row) {
  if (ended_) return false;  // and stays so, whatever stands behind the end line
  std::string_view line;
  CARAVEL_ASSIGN_OR_RETURN(auto got, rows_.line(line));
  if (!got) return broken("its end line is missing");
  // No row's line begins like this: those begin with a number.
  if (line.substr(0, 4) == "end ") {
    if (seen_ != end_.counts.rows) {
      return broken(fmt::format("{} rows instead of {}", seen_, end_.counts.rows));
    }
    if (lines_ != end_.counts.row_lines()) {
      return broken(fmt::format("rows of {} lines instead of {}", lines_, end_.counts.row_lines()));
    }
    // A CSV that somebody has appended to, or a sidecar of another extract.
    if (csv_at_ != csv_bytes_) return broken("the CSV holds more than its rows");
    ended_ = true;
    return false;
  }
  const auto misfit = [&] { return broken(fmt::format("row {} does not fit the CSV", seen_ + 1)); };
  std::size_t length = 0;
  if (!take_lines(line, row) || !take_number(line, row.offset) || !take_number(line, row.kind) ||
      !take_number(line, length) || line.empty() || row.kind >= header_.kinds.size()) {
    return broken(fmt::format("row {} cannot be read", seen_ + 1));
  }
  // Before memory is made for it: a damaged length could be any number. Equal is too much already,
  // since the line end needs a byte.
  if (length >= csv_bytes_ - csv_at_) return misfit();
  CARAVEL_ASSIGN_OR_RETURN(auto whole, records_.need(length + 1));
  // A CSV that has shifted by one byte is noticed at the first record behind the place.
  if (!whole || records_.buffer[records_.from + length] != '\n') return misfit();
  // A sum that wraps could come out right.
  if (row.lines > end_.counts.row_lines() - lines_) {
    return broken(fmt::format("row {} has more lines than its end line counts", seen_ + 1));
  }
  row.record = {records_.buffer.data() + records_.from, length};
  // The line is in the window of the sidecar, the record in that of the CSV: reading one leaves the
  // view into the other valid.
  row.id_tail = line;
  records_.from += length + 1;
  csv_at_ += length + 1;
  ++seen_;
  lines_ += row.lines;
  return true;
}

}  // namespace caravel::formatter
