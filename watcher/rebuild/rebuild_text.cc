// What a rebuild brought, in words.
#include <fmt/format.h>

#include "base/text.h"
#include "watcher/rebuild/rebuild.h"

namespace caravel::watcher {

std::string rebuild_text(const Rebuilt& rebuilt, const std::string& ledger) {
  std::string out = fmt::format("ledger {}: made anew\n", ledger);
  const auto add = [&](const std::string& line) { out += "  " + line + "\n"; };
  if (!rebuilt.kept_as.empty()) add("the old file is kept as " + rebuilt.kept_as);
  if (rebuilt.only_finished) {
    add("an earlier rebuild had come to its last step, which is done now; it read all there was");
    return out;
  }
  const Salvaged& old = rebuilt.salvaged;
  if (!rebuilt.unreadable.empty()) {
    add("the old file could not be read at all: " + printable(rebuilt.unreadable));
  } else if (old.pages == 0) {
    add("there was no old file");
  } else {
    add(fmt::format(
        "from the old file: {} extracts, {} manifests, the year's source of {} contents, "
        "{} sources, {} gaps, {} stores",
        old.extracts, old.manifests, old.years, old.sources, old.gaps, old.stores));
    add(old.damaged_pages == 0
            ? fmt::format("all of its {} pages could be read", old.pages)
            : fmt::format("NOT recovered: what stood only on {} damaged pages of {}",
                          old.damaged_pages, old.pages));
  }
  add(fmt::format("from feed documents: {} extracts", rebuilt.documents.extracts));
  add(fmt::format("from done/: {} extracts, {} manifests; from failed/: {} extracts",
                  rebuilt.files.done, rebuilt.files.manifests, rebuilt.files.failed));
  if (rebuilt.files.unknown > 0) {
    add(fmt::format("{} files there belong to no feed, or cannot be read", rebuilt.files.unknown));
  }
  for (const std::string& store : rebuilt.documents.unasked) {
    add("NOT asked: " + printable(store) + "; run this again when it answers");
  }
  const bool lost = !rebuilt.unreadable.empty() || old.pages == 0 || old.damaged_pages > 0;
  if (lost) {
    add("cannot be had from anywhere else: the years that --year named, gaps, what was told of "
        "sources, and extracts whose file and feed document are gone");
  }
  add("extracts in work/ are taken up by the next watch or sweep");
  return out;
}

}  // namespace caravel::watcher
