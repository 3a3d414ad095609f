// FormatSet: the folders of format files.
#include <algorithm>
#include <filesystem>
#include <system_error>

#include <fmt/format.h>

#include "formatter/formats/format.h"

namespace caravel::formatter {

Result<FormatSet> FormatSet::load(const std::vector<std::string>& folders) {
  FormatSet set;
  for (const std::string& folder : folders) {
    std::error_code error;
    std::vector<std::string> files;
    // Not a range-for: its ++ throws what increment() returns. After an error the iterator is at
    // the end ([fs.dir.itr.members]).
    const std::filesystem::directory_iterator end;
    for (std::filesystem::directory_iterator entry(folder, error); entry != end;
         entry.increment(error)) {
      // Hidden files are the locks and backups of editors.
      const std::string name = entry->path().filename().string();
      if (!name.ends_with(".yaml") || name.front() == '.') continue;
      // A file without a byte is none yet: the shell has just made it for what
      // `caravel format --suggest FILE >formats/NAME.yaml` is about to print.
      std::error_code unknown;
      if (entry->file_size(unknown) == 0 && !unknown) continue;
      files.push_back(entry->path().string());
    }
    if (error) {
      // A folder that is missing is an error too: it was named on purpose, and its formats are
      // needed.
      return fail(ErrorKind::usage, fmt::format("formats folder {}: {}", folder, error.message()));
    }
    // A folder is read in no order. With the files in the order of their names, equal votes in
    // detection fall the same way on every host.
    std::sort(files.begin(), files.end());
    // One bad file fails them all: a feed must not go on with an older format of the same name.
    for (const std::string& file : files) {
      CARAVEL_ASSIGN_OR_RETURN(auto root, YamlNode::load(file, YamlNode::Quote::yes));
      CARAVEL_ASSIGN_OR_RETURN(auto format, compile_format(root));
      set.add(std::move(format));
    }
  }
  return set;
}

void FormatSet::add(Format format) {
  // On the heap, so that pointers from find() stay valid while others are added.
  auto owned = std::make_unique<const Format>(std::move(format));
  // In the old one's place: its turn in detection stays the same.
  for (auto& existing : formats_) {
    if (existing->name == owned->name) {
      existing = std::move(owned);
      return;
    }
  }
  formats_.push_back(std::move(owned));
}

const Format* FormatSet::find(std::string_view name) const {
  for (const auto& format : formats_) {
    if (format->name == name) return format.get();
  }
  return nullptr;
}

std::vector<std::string> FormatSet::names() const {
  std::vector<std::string> names;
  for (const auto& format : formats_) names.push_back(format->name);
  return names;
}

std::string FormatSet::unknown_name_message(std::string_view name) const {
  const std::string nearest = nearest_word(name, names());
  return fmt::format(
      "unknown format '{}'{} {}", name,
      nearest.empty() ? "; known:" : fmt::format("; did you mean '{}'? Known:", nearest),
      fmt::join(names(), ", "));
}

}  // namespace caravel::formatter
