#include "tests/torture/injector/options.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <sstream>
#include <string_view>

#include "tests/torture/injector/calls.h"

namespace caravel::torture {
namespace {

constexpr std::string_view kUsage =
    R"(usage: injector [OPTION]... -- PROGRAM [ARGUMENT]...
Runs PROGRAM, counts its system calls over all threads and children, and harms the ones it is told to.
Counted are calls that change a file, a socket or a lock.

  --reads               calls that only look count too
  --calls A,B           only these calls count
  --path-prefix P       only calls on paths that begin so count (may be repeated; "socket:" is any socket)
  --only-prefix P       the same in the place of all prefixes before it
  --only-program        what PROGRAM starts in its turn runs undisturbed
  --kill-at N           kill -9 of everything before the N-th counted call, the first is 1
  --kill-after N        the same once that call was made
  --fail-at N --errno E the N-th call fails so (EIO, ENOSPC, or a number) and is not made
  --pretend-at N        the N-th call is not made and returns 0, like an fsync(2) of a disk that lies
  --short-at N          the N-th call moves half of its bytes
  --harm-only A,B       of those that count only these calls are harmed
  --times K             K calls are harmed instead of one; or:
  --for-ever            all from the N-th on
  --for-ever-of-kind    all from the N-th on that have its name
  --clock MS:WALL:STEADY  after MS milliseconds the clocks jump by so many seconds (may be repeated)
  --log FILE            one line a counted call: number, thread, name, path, what was done to it
  --record FILE         what a power cut needs to know (see recorder.h)
  --events FD           one line an event is written there (see events.h)
  --quiet MS            the event "quiet" comes when nothing was changed for so long
  --limit MS            a run that takes longer is killed (60000)

SIGTERM and SIGINT are passed on to PROGRAM.
)";

struct NamedError {
  std::string_view name;
  int number;
};

constexpr NamedError kErrors[] = {
    {"EIO", EIO},
    {"ENOSPC", ENOSPC},
    {"EDQUOT", EDQUOT},
    {"EROFS", EROFS},
    {"EACCES", EACCES},
    {"EPERM", EPERM},
    {"EMFILE", EMFILE},
    {"ENFILE", ENFILE},
    {"ENOMEM", ENOMEM},
    {"EINTR", EINTR},
    {"EAGAIN", EAGAIN},
    {"EBUSY", EBUSY},
    {"EFBIG", EFBIG},
    {"ENOENT", ENOENT},
    {"EEXIST", EEXIST},
    {"EXDEV", EXDEV},
    {"ENOLCK", ENOLCK},
    {"EDEADLK", EDEADLK},
    {"ESTALE", ESTALE},
    {"EINVAL", EINVAL},
    {"ENOSYS", ENOSYS},
    {"EOPNOTSUPP", EOPNOTSUPP},
    {"EMLINK", EMLINK},
    {"ENAMETOOLONG", ENAMETOOLONG},
    {"ELOOP", ELOOP},
    {"EPIPE", EPIPE},
    {"ECONNRESET", ECONNRESET},
    {"ECONNREFUSED", ECONNREFUSED},
    {"ECONNABORTED", ECONNABORTED},
    {"ETIMEDOUT", ETIMEDOUT},
    {"EHOSTUNREACH", EHOSTUNREACH},
    {"ENETUNREACH", ENETUNREACH},
    {"ENOTCONN", ENOTCONN},
};

int error_named(const std::string& text) {
  for (const NamedError& error : kErrors) {
    if (error.name == text) return error.number;
  }
  return std::atoi(text.c_str());
}

std::set<std::string> names_in(const std::string& text) {
  std::set<std::string> names;
  std::istringstream in(text);
  for (std::string name; std::getline(in, name, ',');) names.insert(name);
  return names;
}

using Setter = std::function<void(Options&, const std::string& value)>;

std::uint64_t number_in(const std::string& text) {
  return std::strtoull(text.c_str(), nullptr, 10);
}

const std::map<std::string, Setter, std::less<>>& with_value() {
  static const std::map<std::string, Setter, std::less<>> setters{
      {"--calls", [](Options& o, const std::string& v) { o.calls = names_in(v); }},
      {"--harm-only", [](Options& o, const std::string& v) { o.harmed_calls = names_in(v); }},
      {"--path-prefix", [](Options& o, const std::string& v) { o.prefixes.push_back(v); }},
      {"--only-prefix", [](Options& o, const std::string& v) { o.prefixes = {v}; }},
      {"--kill-at", [](Options& o, const std::string& v) { o.kill_at = number_in(v); }},
      {"--kill-after",
       [](Options& o, const std::string& v) {
         o.kill_at = number_in(v);
         o.after = true;
       }},
      {"--fail-at", [](Options& o, const std::string& v) { o.fail_at = number_in(v); }},
      {"--short-at",
       [](Options& o, const std::string& v) {
         o.fail_at = number_in(v);
         o.short_call = true;
       }},
      {"--pretend-at",
       [](Options& o, const std::string& v) {
         o.fail_at = number_in(v);
         o.pretend = true;
       }},
      {"--errno", [](Options& o, const std::string& v) { o.error = error_named(v); }},
      {"--times", [](Options& o, const std::string& v) { o.times = number_in(v); }},
      {"--clock",
       [](Options& o, const std::string& v) { o.clock_steps.push_back(clock_step_of(v)); }},
      {"--log", [](Options& o, const std::string& v) { o.log_path = v; }},
      {"--record", [](Options& o, const std::string& v) { o.record_path = v; }},
      {"--events", [](Options& o, const std::string& v) { o.events = std::atoi(v.c_str()); }},
      {"--quiet",
       [](Options& o, const std::string& v) { o.quiet_ms = static_cast<unsigned>(number_in(v)); }},
      {"--limit",
       [](Options& o, const std::string& v) { o.limit_ms = static_cast<unsigned>(number_in(v)); }},
  };
  return setters;
}

const std::map<std::string, std::function<void(Options&)>, std::less<>>& without_value() {
  static const std::map<std::string, std::function<void(Options&)>, std::less<>> setters{
      {"--reads", [](Options& o) { o.reads = true; }},
      {"--only-program", [](Options& o) { o.only_program = true; }},
      {"--for-ever", [](Options& o) { o.how_long = HowLong::for_ever; }},
      {"--for-ever-of-kind", [](Options& o) { o.how_long = HowLong::for_ever_of_kind; }},
  };
  return setters;
}

std::optional<Options> refused(const std::string& why) {
  std::fprintf(stderr, "injector: %s\n%s", why.c_str(), kUsage.data());
  return {};
}

std::optional<Options> checked(Options options) {
  if (options.program.empty()) return refused("no program is named");
  if (options.fail_at && options.error == 0 && !options.short_call && !options.pretend) {
    return refused("--fail-at needs --errno");
  }
  for (const std::string& name : options.calls) {
    const auto call = call_named(name);
    if (!call) return refused("no such call is traced: " + name);
    if (call->kind == CallKind::read) options.reads = true;
  }
  return options;
}

}  // namespace

std::optional<Options> read_options(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--") {
      options.program.assign(argv + i + 1, argv + argc);
      return checked(std::move(options));
    }
    if (const auto flag = without_value().find(name); flag != without_value().end()) {
      flag->second(options);
    } else if (const auto valued = with_value().find(name); valued == with_value().end()) {
      return refused("unknown option " + name);
    } else if (++i == argc) {
      return refused(name + " needs a value");
    } else {
      valued->second(options, argv[i]);
    }
  }
  return refused("no program is named");
}

}  // namespace caravel::torture
