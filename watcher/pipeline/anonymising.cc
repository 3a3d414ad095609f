#include "watcher/pipeline/anonymising.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "watcher/files/directory.h"
#include "watcher/ledger/manifests.h"
#include "watcher/pipeline/extract_time.h"
#include "watcher/pipeline/formatting.h"
#include "watcher/privacy/private_copy.h"
#include "watcher/spool/claim_batch.h"
#include "watcher/spool/room.h"

namespace caravel::watcher {
namespace {

/// The file that a copy is written to; without its name again unless it takes the original's place.
class CopyFile {
 public:
  /// `directory_fd` must outlive it. An earlier run of the same claim may have left one.
  static Result<CopyFile> make(int directory_fd, const ExtractJob& job) {
    CopyFile file(directory_fd, std::string(kTemporaryPrefix) + job.claim.id);
    ::unlinkat(directory_fd, file.name_.c_str(), 0);
    file.fd_ = UniqueFd(::openat(directory_fd, file.name_.c_str(),
                                 O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file.fd_) return fail_with_errno("anonymous copy", errno);
    return file;
  }
  CopyFile(CopyFile&& other) noexcept
      : directory_fd_(other.directory_fd_),
        name_(std::exchange(other.name_, "")),
        fd_(std::move(other.fd_)) {}
  CopyFile(const CopyFile&) = delete;
  CopyFile& operator=(const CopyFile&) = delete;
  CopyFile& operator=(CopyFile&&) = delete;
  ~CopyFile() {
    if (!name_.empty()) ::unlinkat(directory_fd_, name_.c_str(), 0);
  }

  [[nodiscard]] int fd() const { return fd_.get(); }
  UniqueFd take_fd() { return std::move(fd_); }

  /// Takes the place of the claimed file, durably. Whoever could read that in the archive can read
  /// this.
  Result<> replace(const ExtractJob& job, const struct stat& original) {
    const mode_t mode = S_IRUSR | S_IWUSR | (original.st_mode & (S_IRGRP | S_IROTH));
    if (::fchmod(fd_.get(), mode) != 0) return fail_with_errno("anonymous copy", errno);
    CARAVEL_TRY(sync_fd(fd_.get(), "an anonymous copy"));
    const std::string place = place_of(job.claim);
    if (::renameat(directory_fd_, name_.c_str(), directory_fd_, place.c_str()) != 0) {
      return fail_with_errno("anonymous copy", errno);
    }
    name_.clear();
    CARAVEL_ASSIGN_OR_RETURN(const auto claim,
                             open_directory_at(directory_fd_, claim_directory(job.claim.id)));
    CARAVEL_TRY(sync_fd(claim.get(), job.claim.id));
    return sync_fd(directory_fd_, "the claims");
  }

 private:
  CopyFile(int directory_fd, std::string name)
      : directory_fd_(directory_fd), name_(std::move(name)) {}

  int directory_fd_;
  std::string name_;
  UniqueFd fd_;
};

/// The manifest that is of this size: the one that most likely speaks of it.
std::optional<Manifest> likely_manifest(const std::vector<Manifest>& manifests,
                                        std::uint64_t size) {
  const auto found = std::ranges::find(manifests, size, &Manifest::bytes);
  return found != manifests.end() ? std::optional(*found) : std::nullopt;
}

/// What a pattern needs to know which days there are. 29 February hangs on it, and nothing else.
formatter::YearTable years_of(const ExtractJob& job, const std::optional<Manifest>& manifest,
                              const FileStamp& stamp) {
  if (job.by_hand.year) return ExtractTime::of_year(*job.by_hand.year).years;
  if (manifest && is_meant_as_time(manifest->cut, stamp)) {
    return ExtractTime::of_manifest(manifest->cut).years;
  }
  return ExtractTime::of_file(job.claim.name, stamp).years;
}

/// The manifest that speaks of what came, before it was changed; what came may be the copy itself.
Result<std::optional<Manifest>> manifest_of(const PipelineTools& tools, const ExtractJob& job,
                                            const std::vector<Manifest>& manifests,
                                            const formatter::Input::Digests& original) {
  if (tools.feed.manifest == ManifestRule::ignore) return std::nullopt;
  for (const std::string& digest : {original.unpacked, original.packed}) {
    const auto found = std::ranges::find(manifests, digest, &Manifest::sha256);
    if (found != manifests.end()) return *found;
    auto known = tools.ledger.manifests().of_content(tools.feed.name, digest, job.claim.name);
    if (!known || *known) return known;
  }
  return std::nullopt;
}

/// What a manifest says of the original, said of its copy, so that rows have the places that they
/// have in their log. Where a hash has made lines longer, places within the copy are not those of
/// the log any more: then it counts as a log of its own, which begins at that place of the first.
Manifest manifest_of_copy(Manifest manifest, const formatter::Format& format,
                          const UnpackedContent& copy) {
  if (format.privacy->hashes) {
    manifest.first_line = formatter::to_hex(
        formatter::hash_bytes(fmt::format("{}:{}", manifest.first_line, manifest.first)));
  }
  manifest.sha256 = copy.sha256;
  manifest.bytes = copy.bytes;
  manifest.last = manifest.first + copy.bytes;
  return manifest;
}

/// Before the rename: of a copy whose manifest is not known, nobody can say where it was in its
/// log.
Result<> tell_ledger(const PipelineTools& tools, const ExtractJob& job,
                     const formatter::Format& format, const Manifest& manifest, int copy_fd) {
  CARAVEL_ASSIGN_OR_RETURN(const auto copy, unpacked_content(copy_fd, job.claim.name));
  if (copy.sha256 == manifest.sha256) return {};
  return tools.ledger.manifests().add_copy(tools.feed.name, job.claim.name, manifest.sha256,
                                           manifest_of_copy(manifest, format, copy),
                                           std::chrono::system_clock::now());
}

CopyOrder order_of(const PipelineTools& tools, const ExtractJob& job,
                   const formatter::Format& format, const formatter::YearTable& years) {
  const Config& config = tools.service.config;
  CopyOrder order{config, format, job.claim.name, years};
  order.accept_unterminated = tools.feed.accept_unterminated;
  order.may_write = ask_room(tools.service.spool.room(), config.max_unpacked);
  return order;
}

}  // namespace

Result<const formatter::Format*> private_format(const FeedConfig& feed,
                                                const formatter::FormatSet& formats,
                                                const ByHand& by_hand) {
  const formatter::Format* const own = feed.format == "auto" ? nullptr : formats.find(feed.format);
  const formatter::Format* const used = by_hand.format != nullptr ? by_hand.format : own;
  const bool hides = own != nullptr && own->privacy.has_value();
  if (used != nullptr && used->privacy) return used;
  if (!hides) return nullptr;
  return fail(ErrorKind::usage,
              fmt::format("the format '{}' of the feed makes its lines anonymous, and '{}' would "
                          "not: name one that does",
                          own->name, used->name));
}

StepResult<UniqueFd> anonymised(const PipelineTools& tools, const ExtractJob& job, UniqueFd fd) {
  // A CSV with its sidecar was made of lines that were anonymous then.
  if (job.prepared) return fd;
  const Service& service = tools.service;
  auto found = private_format(tools.feed, service.formats, job.by_hand);
  if (!found) return tl::unexpected<Obstacle>(Error{ErrorKind::content, found.error().message});
  if (*found == nullptr) return fd;
  const formatter::Format& format = **found;
  struct stat status;
  if (::fstat(fd.get(), &status) != 0) {
    return tl::unexpected<Obstacle>(system_error("fstat", errno));
  }
  const FileStamp stamp = stamp_of(status);
  CARAVEL_ASSIGN_OR_RETURN(const auto manifests, manifests_of(tools, job));
  const auto likely = likely_manifest(manifests, stamp.size);
  const bool claimed = job.root != nullptr;
  CARAVEL_ASSIGN_OR_RETURN(
      auto copy, CopyFile::make(claimed ? job.root->fd.get() : service.spool.csv_fd(), job));
  formatter::FormatMonitor monitor;
  monitor.stop = &service.stop;
  auto written = write_private_copy(
      fd.get(), copy.fd(), order_of(tools, job, format, years_of(job, likely, stamp)), monitor);
  if (!written) {
    Error error = refused_if_no_space(std::move(written).error());
    // Whatever the error says: an original never goes to failed/.
    if (error.kind == ErrorKind::content) error.kind = ErrorKind::fault;
    return tl::unexpected<Obstacle>(std::move(error));
  }
  std::string refusal = why_not_loaded(*written, format);
  if (!written->damage) {
    CARAVEL_ASSIGN_OR_RETURN(const auto manifest,
                             manifest_of(tools, job, manifests, written->original));
    if (manifest) CARAVEL_TRY(tell_ledger(tools, job, format, *manifest, copy.fd()));
    if (!manifest && !manifests.empty()) {
      refusal = describe_mismatch(stamp.size, written->original.packed, manifests.front());
      // The original stays in work/, for a good transfer may follow.
      if (!job.last_chance) return leave(Ending::mismatched, std::move(refusal));
    }
  }
  CARAVEL_ASSIGN_OR_RETURN(const auto now, stamp_of_fd(fd.get()));
  if (changed_since(stamp, now)) {
    return tl::unexpected<Obstacle>(
        Error{ErrorKind::retry, "it is being written to, though it was whole"});
  }
  CARAVEL_TRY(keep_mtime(fd.get(), copy.fd()));
  if (claimed) CARAVEL_TRY(copy.replace(job, status));
  if (!refusal.empty()) return tl::unexpected<Obstacle>(Error{ErrorKind::content, refusal});
  return copy.take_fd();
}

}  // namespace caravel::watcher
