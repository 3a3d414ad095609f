// Claims that are made together share a directory of work/: to remove a directory can take longer
// than everything else that is done for a small file (rmdir(2) waits for other processors).
//
//   claim id                                      its file
//   20261122T101500Z-0123456789ab.feed            work/20261122T101500Z-0123456789ab.feed/NAME
//   20261122T101500Z-0123456789ab-<hash>.feed     work/20261122T101500Z-0123456789ab-.feed/NAME
//
// The hash is of NAME, so that a listing of the directory gives the ids back.
#pragma once

#include <string>
#include <string_view>

namespace caravel::watcher {

/// The id of the claim of `name` in the batch that `id`, which make_claim_id() made, is for. Names
/// are senders': two may have one id.
[[nodiscard]] std::string claim_id_in_batch(std::string_view id, std::string_view name);

/// The directory, relative to the root, that the file of a claim lies in.
[[nodiscard]] std::string claim_directory(std::string_view id);

}  // namespace caravel::watcher
