// Where a document of a store came from: its line, as it stands in the extract, and the extract.
#include <fcntl.h>

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "base/file.h"
#include "base/text.h"
#include "formatter/input/input.h"
#include "formatter/input/line_splitter.h"
#include "formatter/records/matcher.h"
#include "formatter/rows/row_id.h"
#include "watcher/ledger/history.h"
#include "watcher/ledger/manifests.h"
#include "watcher/pipeline/format_step.h"
#include "watcher/report/explain.h"

namespace caravel::watcher {
namespace {

struct FoundLine {
  std::string text;          // as it came
  std::uint64_t offset = 0;  // in the unpacked extract
};

/// One line of an extract; nothing if the extract has fewer lines.
Result<std::optional<FoundLine>> line_of(const std::string& path, std::uint64_t number,
                                         std::size_t max_line) {
  // The path is the ledger's, but anything may lie there by now: a FIFO must not block the command.
  CARAVEL_ASSIGN_OR_RETURN(auto fd, open_file(path, O_RDONLY | O_NONBLOCK));
  formatter::Input::Options options;
  // Nobody asks for the digest of the whole file here.
  options.digest = false;
  // It was granted its window when it was loaded.
  options.max_window = formatter::kMostWindow;
  CARAVEL_ASSIGN_OR_RETURN(auto input, formatter::Input::open(std::move(fd), options));
  formatter::LineSplitter lines(input, max_line);
  formatter::Line line;
  for (;;) {
    CARAVEL_ASSIGN_OR_RETURN(auto more, lines.next(line));
    if (!more) return std::nullopt;
    if (line.number == number) return FoundLine{std::string(line.text()), line.offset};
  }
}

/// The line in the first of the extracts whose file can still be read: they all have one content.
std::optional<FoundLine> find_line(const std::vector<Extract>& extracts, std::uint64_t number,
                                   std::size_t max_line) {
  for (const Extract& extract : extracts) {
    // An extract that is still in work/ has no done_path yet.
    auto line =
        line_of(extract.done_path.empty() ? extract.path : extract.done_path, number, max_line);
    if (line && *line) return std::move(*line);
  }
  return std::nullopt;
}

/// Whether a row's id says that it is this line at the place in the log that the extract's manifest
/// tells (`identity: position`).
bool is_line_at_its_place(Ledger& ledger, const Extract& extract, const FoundLine& line,
                          std::string_view id) {
  // The manifest of a replay may have come by another name, and that of an extract that was packed
  // on its way names another SHA-256: so both ways to find one are tried.
  std::vector<Manifest> manifests =
      ledger.manifests().for_name(extract.feed, extract.name).value_or(std::vector<Manifest>());
  if (auto known = ledger.manifests().of_content(extract.feed, extract.sha256, extract.name);
      known && *known) {
    manifests.push_back(std::move(**known));
  }
  return std::any_of(manifests.begin(), manifests.end(), [&](const Manifest& manifest) {
    const auto digest = formatter::hash_positioned(
        first_line_hash(manifest), manifest.first + line.offset, formatter::trim_line(line.text));
    return id.ends_with(":" + formatter::to_hex(digest));
  });
}

/// Keeps only the extracts that say themselves that the row is a line of theirs, if there are any.
void keep_those_at_its_place(Ledger& ledger, const FoundLine& line, std::string_view id,
                             std::vector<Extract>& extracts) {
  const auto others = std::stable_partition(
      extracts.begin(), extracts.end(),
      [&](const Extract& extract) { return is_line_at_its_place(ledger, extract, line, id); });
  if (others != extracts.begin()) extracts.erase(others, extracts.end());
}

}  // namespace

Result<std::string> explain_document(Ledger& ledger, const Config& config,
                                     const uploader::StoredDocument& document, Time now) {
  CARAVEL_ASSIGN_OR_RETURN(auto extracts, ledger.history().find_sha256(document.extract));
  std::string out;
  if (document.line > 0) {
    out += fmt::format("\nline {} of the extract with SHA-256 {}…\n", document.line,
                       shown(document.extract));
    if (const auto line = find_line(extracts, document.line, config.max_line)) {
      out += fmt::format("  {}\n", printable(line->text));
      keep_those_at_its_place(ledger, *line, document.id, extracts);
    }
    if (extracts.size() > 1) {
      out += fmt::format("Each of these {} extracts has that line:\n", extracts.size());
    }
  }
  if (extracts.empty()) {
    return out + "The ledger does not know that extract: it was loaded elsewhere.\n";
  }
  return out + "\n" + explain_extracts(ledger, config.spool, extracts, now);
}

}  // namespace caravel::watcher
