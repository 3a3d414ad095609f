// Any text as a configuration file: an error that names file and line, or a configuration that
// keeps what the program relies on.
#include <cstdint>
#include <string>

#include "tests/fuzz/fuzz.h"
#include "watcher/config/config.h"
#include "watcher/store_types.h"

namespace caravel::watcher {
namespace {

using fuzz::Require;

void ParseConfig(const std::string& text) {
  // A password_file may name anything, and no file is the fuzzer's to read.
  ConfigOptions options;
  options.secrets = false;
  const auto config = parse_config(text, "/etc/caravel/fuzz.yaml", all_store_types(), options);
  if (!config) {
    Require(config.error().kind == ErrorKind::usage, "a bad configuration is a usage error");
    Require(config.error().message.find("fuzz.yaml") != std::string::npos,
            "an error names the file");
    return;
  }
  for (const FeedConfig& feed : config->feeds) {
    Require(config->find_store(feed.store) != nullptr, "a feed has a store");
    Require(!feed.name.empty() && feed.name != "feed" && feed.name != "mapping",
            "a feed has a name that ids may begin with");
    Require(
        feed.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos,
        "a feed's name needs no escaping");
  }
}

}  // namespace
}  // namespace caravel::watcher

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  caravel::watcher::ParseConfig({reinterpret_cast<const char*>(data), size});
  return 0;
}
