// Rows that the store refused for their content become rejects, as their lines came.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "formatter/output/rejects.h"
#include "uploader/store.h"

namespace caravel::watcher {

/// Appends the lines of `refused` rows, read again from the extract that `fd` has open (`size`
/// bytes of it), to the reject files in `paths`; makes those that are missing. Durable on return.
/// Repeating it would append twice: format again first.
[[nodiscard]] Result<> add_refused_rows(int fd, const std::string& name, std::uint64_t size,
                                        std::size_t max_line,
                                        const std::vector<uploader::RefusedRow>& refused,
                                        const formatter::Rejects::Paths& paths);

/// The same where the lines cannot be read again: reasons only.
[[nodiscard]] Result<> add_refused_reasons(const std::vector<uploader::RefusedRow>& refused,
                                           const formatter::Rejects::Paths& paths);

}  // namespace caravel::watcher
