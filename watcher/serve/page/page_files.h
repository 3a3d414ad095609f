// The files of watcher/serve/page/files/, as the build put them into the program (embed.cmake).
#pragma once

#include <string_view>

namespace caravel::watcher {

/// By its name in that folder: "page.html". "" if there is none. No file of it holds a NUL.
[[nodiscard]] std::string_view page_file(std::string_view name);

}  // namespace caravel::watcher
