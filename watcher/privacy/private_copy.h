// The anonymous copy of a file, written to a descriptor.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/error.h"
#include "base/unique_fd.h"
#include "formatter/output/monitor.h"
#include "formatter/output/space.h"
#include "formatter/privacy/anonymise.h"
#include "watcher/config/config.h"

namespace caravel::watcher {

struct CopyOrder {
  const Config& config;
  const formatter::Format& format;  // has `privacy`
  std::string name;                 // of the extract, for its packing
  formatter::YearTable years;
  bool accept_unterminated = false;
  formatter::Space::Ask may_write{};  // asked before each write, if it is there
  bool digest = true;                 // of what came
  bool plain = false;                 // not packed, and of any size: for whoever reads stdout
};

/// Writes the copy of what `from` has open, from its start, to `to`, which is empty; packed as it
/// came, unless it is to be plain. `from` may be a pipe. Errors: as anonymise_extract() and
/// KeyFolder::open(). What could be read of a damaged file is in the copy, see Anonymised::damage.
[[nodiscard]] Result<formatter::Anonymised> write_private_copy(
    int from, int to, const CopyOrder& order, const formatter::FormatMonitor& monitor);

/// The same, into a file without a name in `folder` (open(2), O_TMPFILE): it is gone with its
/// descriptor. Errors: content also if it must not be loaded.
[[nodiscard]] Result<UniqueFd> unnamed_private_copy(int from, const std::string& folder,
                                                    const CopyOrder& order,
                                                    const formatter::FormatMonitor& monitor);

/// Years may hang on the mtime of a file: the copy has that of what it was made of.
[[nodiscard]] Result<> keep_mtime(int from, int to);

/// SHA-256 and size of what `fd` has open, unpacked, from its start.
struct UnpackedContent {
  std::string sha256;
  std::uint64_t bytes = 0;
};
[[nodiscard]] Result<UnpackedContent> unpacked_content(int fd, const std::string& name);

/// Why a copy must not be loaded, in words; "" if it may be.
[[nodiscard]] std::string why_not_loaded(const formatter::Anonymised& copy,
                                         const formatter::Format& format);

}  // namespace caravel::watcher
