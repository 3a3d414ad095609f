#include "uploader/postgresql/wire/conninfo.h"

#include <unistd.h>

#include <cstdlib>
#include <memory>

#include <fmt/format.h>
#include <libpq-fe.h>

#include "uploader/postgresql/wire/sqlstate.h"

namespace caravel::uploader {
namespace {

// Debian's file of all authorities (ca-certificates); other systems have it elsewhere.
constexpr const char* kSystemAuthorities[] = {"/etc/ssl/certs/ca-certificates.crt",
                                              "/etc/pki/tls/certs/ca-bundle.crt",
                                              "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"};

using OptionList = std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)>;

ConnectOptions values_of(const PQconninfoOption* list) {
  ConnectOptions options;
  for (; list != nullptr && list->keyword != nullptr; ++list) {
    if (list->val != nullptr && *list->val != '\0') options[list->keyword] = list->val;
  }
  return options;
}

bool is_this_host(std::string_view host) {
  // '@' is a socket in Linux' abstract namespace.
  if (host.empty() || host.front() == '/' || host.front() == '@') return true;
  return host == "localhost" || host == "::1" ||
         (host.starts_with("127.") &&
          host.find_first_not_of("0123456789.") == std::string_view::npos);
}

/// `hosts` as libpq takes several, with commas between them.
bool are_this_host(std::string_view hosts) {
  for (;;) {
    const std::size_t comma = hosts.find(',');
    if (!is_this_host(hosts.substr(0, comma))) return false;
    if (comma == std::string_view::npos) return true;
    hosts.remove_prefix(comma + 1);
  }
}

std::string value_of(const ConnectOptions& options, const std::string& name) {
  const auto found = options.find(name);
  return found != options.end() ? found->second : std::string();
}

/// The hosts that are connected to, whatever their names in `host` are.
std::string hosts_of(const ConnectOptions& options) {
  const std::string addresses = value_of(options, "hostaddr");
  return addresses.empty() ? value_of(options, "host") : addresses;
}

/// What libpq makes of `options` with the service file and the environment. It tells that only of a
/// connection, so one is begun that it refuses before it opens a socket: for a word that is none.
Result<ConnectOptions> resolved(const ConnectOptions& options) {
  constexpr const char* kRefused = "channel_binding";
  std::vector<const char*> names;
  std::vector<const char*> values;
  for (const auto& [name, value] : options) {
    if (name == kRefused) continue;
    names.push_back(name.c_str());
    values.push_back(value.c_str());
  }
  names.insert(names.end(), {kRefused, nullptr});
  values.insert(values.end(), {"none", nullptr});
  const std::unique_ptr<PGconn, decltype(&PQfinish)> connection(
      PQconnectStartParams(names.data(), values.data(), 0), &PQfinish);
  if (!connection) return fail(ErrorKind::retry, "out of memory");
  const std::string_view words = PQerrorMessage(connection.get());
  if (words.find(kRefused) == std::string_view::npos) {
    return fail(ErrorKind::fault, plain_words(words));
  }
  const OptionList list(PQconninfo(connection.get()), &PQconninfoFree);
  ConnectOptions known = values_of(list.get());
  known.erase(kRefused);
  if (const auto found = options.find(kRefused); found != options.end()) known.insert(*found);
  return known;
}

/// libpq's own file of authorities, which it looks for if none is named.
bool has_own_authorities() {
  const char* const home = std::getenv("HOME");
  return home != nullptr &&
         ::access(fmt::format("{}/.postgresql/root.crt", home).c_str(), R_OK) == 0;
}

void choose_authorities(const Login& login, ConnectOptions& options) {
  if (!login.ca_file.empty()) options["sslrootcert"] = login.ca_file;
  if (options.contains("sslrootcert") || has_own_authorities()) return;
  for (const char* const file : kSystemAuthorities) {
    if (::access(file, R_OK) != 0) continue;
    options["sslrootcert"] = file;
    return;
  }
}

}  // namespace

std::string Login::get(const std::string& name) const { return value_of(options, name); }

bool Login::names_this_host() const {
  const std::string hosts = hosts_of(options);
  return !hosts.empty() && are_this_host(hosts);
}

std::string Login::place() const {
  const auto in_brackets = [](const std::string& host) {
    return host.find(':') == std::string::npos ? host : fmt::format("[{}]", host);
  };
  std::string text =
      "postgresql://" + in_brackets(get("host").empty() ? get("hostaddr") : get("host"));
  if (has("port")) text += ":" + get("port");
  if (has("dbname")) text += "/" + get("dbname");
  if (has("service")) text += "?service=" + get("service");
  return text;
}

Result<Login> read_url(const std::string& url) {
  char* words = nullptr;
  const OptionList list(PQconninfoParse(url.c_str(), &words), &PQconninfoFree);
  // libpq repeats what it could not read, and that may be a password.
  PQfreemem(words);
  if (!list) {
    return fail(ErrorKind::usage,
                "is no address of PostgreSQL; like postgresql://db.example.org/caravel or "
                "postgresql://?service=caravel");
  }
  Login login;
  login.options = values_of(list.get());
  for (const char* const secret : {"password", "sslpassword"}) {
    if (!login.has(secret)) continue;
    return fail(ErrorKind::usage,
                fmt::format("must not hold a {}; put it into a file of its own (mode 0600) and say "
                            "password_file: FILE",
                            secret));
  }
  return login;
}

Result<ConnectOptions> options_for(const Login& login) {
  CARAVEL_ASSIGN_OR_RETURN(auto options, resolved(login.options));
  // "prefer" is libpq's default: to take it for said would give the password to anybody.
  const bool said = login.has("sslmode") || std::getenv("PGSSLMODE") != nullptr ||
                    value_of(options, "sslmode") != "prefer";
  if (!said && !are_this_host(hosts_of(options))) options["sslmode"] = "verify-full";
  if (value_of(options, "sslmode").starts_with("verify-")) choose_authorities(login, options);
  if (!login.has("target_session_attrs") && std::getenv("PGTARGETSESSIONATTRS") == nullptr &&
      value_of(options, "target_session_attrs") == "any") {
    options["target_session_attrs"] = "read-write";
  }
  // Those of Linux notice after two hours (tcp(7)).
  options.insert(
      {{"keepalives_idle", "30"}, {"keepalives_interval", "10"}, {"keepalives_count", "3"}});
  options["fallback_application_name"] = "caravel";
  options["client_encoding"] = "UTF8";
  if (!login.password.empty()) options["password"] = login.password;
  return options;
}

}  // namespace caravel::uploader
