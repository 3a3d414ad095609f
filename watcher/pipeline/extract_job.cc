#include "watcher/pipeline/extract_job.h"

#include <filesystem>

#include "watcher/files/absolute_path.h"

namespace caravel::watcher {

ExtractJob job_of_claim(const Claim& claim, const ClaimRoot& root, bool last_chance, bool is_new) {
  ExtractJob job;
  job.claim = claim;
  job.root = &root;
  job.last_chance = last_chance;
  job.is_new = is_new;
  return job;
}

ExtractJob job_of_file(const std::string& path, Time now) {
  const std::filesystem::path file(path);
  ExtractJob job;
  // Nothing is claimed, but the ledger's row and the temporaries are named by a claim id.
  job.claim = {make_claim_id(now), file.filename().string()};
  job.path = absolute_path(path);
  job.last_chance = true;  // a person hears of a broken transfer at once
  return job;
}

}  // namespace caravel::watcher
