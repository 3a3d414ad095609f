#include "watcher/pipeline/extract_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include <fmt/format.h>

#include "base/file.h"
#include "base/text.h"

namespace caravel::watcher {
namespace {

/// How much of an extract's name goes into that of its CSV: the claim id and the endings come on
/// top, and a name has 255 bytes at most (NAME_MAX).
constexpr std::size_t kLongestCsvName = 160;

}  // namespace

/// The name is a sender's: printable() leaves no control characters in it.
ExtractFiles::ExtractFiles(const Spool& spool, const ExtractJob& job)
    : spool_(spool.path()),
      prefix_(fmt::format("{}{}", kTemporaryPrefix, job.claim.id)),
      prepared_(job.prepared),
      // The claim id keeps extracts of the same name apart, and tells tidy() whose file it is.
      csv_(job.prepared
               ? job.path
               : fmt::format("{}/csv/{}.{}.csv", spool_,
                             printable(job.claim.name).substr(0, kLongestCsvName), job.claim.id)),
      sidecar_(csv_ + ".sidecar") {}

/// New descriptors each time: a RowReader moves forward only, and an upload that starts over needs
/// the first row.
Result<formatter::RowReader> ExtractFiles::open_rows() const {
  if (held_) return formatter::RowReader::open(held_->csv, held_->sidecar);
  CARAVEL_ASSIGN_OR_RETURN(auto csv, open_file(csv_, O_RDONLY));
  CARAVEL_ASSIGN_OR_RETURN(auto sidecar, open_file(sidecar_, O_RDONLY));
  return formatter::RowReader::open(std::move(csv), std::move(sidecar));
}

FormatTargets ExtractFiles::temporaries() const {
  FormatTargets targets{temporary("csv", ".csv"),
                        temporary("csv", ".sidecar"),
                        {temporary("rejects", ".rejects"), temporary("rejects", ".reasons"),
                         temporary("rejects", ".cut")}};
  if (may_hold_) targets.held = &held_;
  return targets;
}

Result<> ExtractFiles::publish_csv() const {
  if (held_) return {};
  // A crash between the two leaves a CSV without its sidecar: the next run makes both anew.
  const FormatTargets from = temporaries();
  if (::rename(from.csv.c_str(), csv_.c_str()) != 0 ||
      ::rename(from.sidecar.c_str(), sidecar_.c_str()) != 0) {
    return fail_with_errno(fmt::format("rename to {}", csv_), errno);
  }
  return {};
}

RejectSizes ExtractFiles::reject_sizes() const {
  RejectSizes sizes;
  const auto paths = reject_temporaries();
  for (std::size_t i = 0; i < paths.size(); ++i) {
    struct stat status;
    if (::lstat(paths[i].c_str(), &status) == 0 && S_ISREG(status.st_mode)) {
      sizes[i] = static_cast<std::uint64_t>(status.st_size);
    }
  }
  return sizes;
}

bool ExtractFiles::restore_rejects(const RejectSizes& sizes) const {
  const RejectSizes there = reject_sizes();
  const auto paths = reject_temporaries();
  for (std::size_t i = 0; i < paths.size(); ++i) {
    // A file that has its name by now, or that somebody has tidied away.
    if (sizes[i] && (!there[i] || *there[i] < *sizes[i])) return false;
    if (there[i] == sizes[i]) continue;
    const int done = sizes[i] ? ::truncate(paths[i].c_str(), static_cast<off_t>(*sizes[i]))
                              : ::unlink(paths[i].c_str());
    if (done != 0) return false;
  }
  return true;
}

std::array<std::string, 3> ExtractFiles::reject_temporaries() const {
  const auto paths = temporaries().rejects;
  return {paths.lines, paths.reasons, paths.cut};
}

/// "" for a file that was not made: publish_reject_files() then removes the one that an earlier
/// load of the same extract left.
RejectFiles ExtractFiles::rejects_of(const FormatReport& report) const {
  return {report.has_lines ? prefix_ + ".rejects" : "", report.has_cut ? prefix_ + ".cut" : "",
          report.has_reasons ? prefix_ + ".reasons" : "",
          report.by_place > 0 ? std::optional(report.stamp.size) : std::nullopt};
}

// Removing is tidying: a file that cannot be removed now is removed when it is old enough (tidy()).

void ExtractFiles::remove_csv() const {
  if (prepared_ || held_) return;
  ::unlink(csv_.c_str());
  ::unlink(sidecar_.c_str());
}

void ExtractFiles::remove_temporaries() const {
  const FormatTargets all = temporaries();
  for (const std::string& path :
       {all.csv, all.sidecar, all.rejects.lines, all.rejects.reasons, all.rejects.cut}) {
    ::unlink(path.c_str());
  }
}

std::string ExtractFiles::temporary(std::string_view folder, std::string_view ending) const {
  return fmt::format("{}/{}/{}{}", spool_, folder, prefix_, ending);
}

}  // namespace caravel::watcher
