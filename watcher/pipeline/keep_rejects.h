// The rejected lines of an extract get their names in rejects/: those that formatting found, and
// those whose rows the store refused. Internal to the pipeline.
#pragma once

#include <vector>

#include "base/error.h"
#include "uploader/store.h"
#include "watcher/pipeline/extract_files.h"
#include "watcher/pipeline/format_step.h"
#include "watcher/pipeline/pipeline.h"

namespace caravel::watcher {

/// Adds the lines of the `refused` rows, as they came (read again from the extract that `fd` has
/// open), to the temporary reject files that `report` names, and publishes these. Durable on
/// return. Returns how many rejects, of those that formatting found too, are kept by their place in
/// the extract only, because they had no room (max_reject_bytes).
///
/// After an error the temporaries may hold some of the refused lines, and some files may have their
/// names already: ExtractFiles::restore_rejects() first, or format the extract again.
[[nodiscard]] Result<std::uint64_t> keep_rejects(const PipelineTools& tools, const ExtractJob& job,
                                                 const ExtractFiles& files, int fd,
                                                 const FormatReport& report,
                                                 const std::vector<uploader::RefusedRow>& refused);

}  // namespace caravel::watcher
