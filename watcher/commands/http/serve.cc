// caravel serve
#include <charconv>
#include <cstdlib>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/ending/stop_on_signal.h"
#include "watcher/commands/setup.h"
#include "watcher/serve/access.h"
#include "watcher/serve/server.h"
#include "watcher/serve/site.h"
#include "watcher/service/program_log.h"
#include "watcher/service/reload.h"

namespace caravel::watcher {
namespace {

/// Where to listen: $PORT takes the place of the configuration's port, so that several processes
/// may share one file.
Result<ListenPlace> place_of(const ServeConfig& serve) {
  ListenPlace place = serve.listen;
  const char* const port = std::getenv("PORT");
  if (port == nullptr || *port == '\0' || place.is_unix()) return place;
  const std::string_view text = port;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), place.port);
  if (status != std::errc{} || end != text.data() + text.size()) {
    return fail(ErrorKind::usage, fmt::format("PORT={}: no port from 0 to 65535", text));
  }
  return place;
}

/// The tokens of both files.
Result<std::vector<TokenHash>> tokens_of(const ServeConfig& serve) {
  std::vector<TokenHash> tokens;
  if (!serve.tokens_file.empty()) {
    CARAVEL_ASSIGN_OR_RETURN(tokens, read_tokens(serve.tokens_file));
  }
  if (!serve.token_file.empty()) {
    CARAVEL_ASSIGN_OR_RETURN(const std::string token, read_token(serve.token_file));
    tokens.push_back(hash_of_token(token));
  }
  return tokens;
}

Result<int> run_serve(const CommandCall& call) {
  Reload reload([&call]() -> Result<> {
    CARAVEL_ASSIGN_OR_RETURN(const Config config, load_only_config(call, Secrets::leave));
    CARAVEL_TRY(tokens_of(config.serve));
    return {};
  });
  const auto served = [&]() -> Result<> {
    CARAVEL_ASSIGN_OR_RETURN(const Config config, load_only_config(call, Secrets::leave));
    CARAVEL_ASSIGN_OR_RETURN(const ListenPlace place, place_of(config.serve));
    CARAVEL_ASSIGN_OR_RETURN(auto tokens, tokens_of(config.serve));
    start_logging(config.log_level);
    reload.listen();
    set_exit_code_at_stop(kExitGood);
    const Access access(place, std::move(tokens));
    Site site(config, Moment::now, CARAVEL_VERSION);
    return serve(place, access, site, call.stop, reload);
  }();
  CARAVEL_TRY(served);
  // All is closed by now.
  if (reload.accepted()) return tl::unexpected(start_anew());
  return kExitGood;
}

}  // namespace

Command serve_command() {
  return {
      .name = "serve",
      .about = "shows what happens by HTTP: a page, metrics, health",
      .help =
          "Serves a page at serve.listen (http://127.0.0.1:8099), and /metrics for Prometheus,\n"
          "/healthz, /readyz and /status.json (the same as status --json). Only reads: it is of\n"
          "use while nobody watches, too. Runs until SIGTERM or Ctrl-C; SIGHUP: reads the\n"
          "configuration again. $PORT takes the place of the port. docs/monitoring.md",
      .run = run_serve};
}

}  // namespace caravel::watcher
