// What `retry` and `ack` share: which extracts a person means.
#pragma once

#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "watcher/commands/command.h"
#include "watcher/ledger/extract.h"
#include "watcher/ledger/ledger.h"

namespace caravel::watcher {

/// For lists that are not cut.
inline constexpr std::size_t kAllExtracts = std::numeric_limits<std::int32_t>::max();

/// Operands, or --all, which --feed narrows. Errors: kind usage.
[[nodiscard]] Result<> expect_choice(const Arguments& arguments, std::string_view command);

/// By name, path, or the first digits of a SHA-256; newest first.
[[nodiscard]] Result<std::vector<Extract>> extracts_called(Ledger& ledger, const std::string& text);

}  // namespace caravel::watcher
