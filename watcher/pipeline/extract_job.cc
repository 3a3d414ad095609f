#include "watcher/pipeline/extract_job.h"

#include <filesystem>

namespace caravel::watcher {

ExtractJob job_of_claim(const Claim& claim, const ClaimRoot& root, bool last_chance) {
  ExtractJob job;
  job.claim = claim;
  job.root = &root;
  job.last_chance = last_chance;
  return job;
}

ExtractJob job_of_file(const std::string& path, Time now) {
  const std::filesystem::path file(path);
  ExtractJob job;
  job.claim = {make_claim_id(now), file.filename().string()};
  job.path = std::filesystem::absolute(file).lexically_normal().string();
  job.last_chance = true;  // a person hears of a broken transfer at once
  return job;
}

}  // namespace caravel::watcher
