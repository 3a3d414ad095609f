// The manual pages.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "watcher/manual/program.h"

namespace caravel::watcher {

/// What stands at the foot of every page.
struct Edition {
  std::string date;     // 2026-12-01
  std::string version;  // "0.1.0"
  [[nodiscard]] std::string source() const { return "caravel " + version; }
};

/// caravel(1): the commands, what they have in common, files and environment.
[[nodiscard]] std::string program_page(const DescribedProgram& program, const Edition& edition);
/// caravel-NAME(1).
[[nodiscard]] std::string command_page(const DescribedProgram& program,
                                       const DescribedCommand& command, const Edition& edition);
/// caravel-tail(1): its options, then docs/tail.md.
[[nodiscard]] std::string tail_page(const DescribedProgram& program, std::string_view manual,
                                    const Edition& edition);
/// send-scp(1) and its like: the comment at the head of the script, which is its help too.
[[nodiscard]] std::string script_page(const std::string& name, std::string_view script,
                                      const Edition& edition);
/// caravel.yaml(5): the keys, as the schema describes them, then the example that explains them.
/// Errors: the schema is none.
[[nodiscard]] Result<std::string> config_page(const std::string& schema, std::string_view example,
                                              const Edition& edition);
/// caravel-formats(5): docs/formats.md.
[[nodiscard]] std::string formats_page(std::string_view manual, const Edition& edition);

}  // namespace caravel::watcher
