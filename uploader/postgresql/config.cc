#include "uploader/postgresql/config.h"

#include <unistd.h>

#include <cerrno>

#include <fmt/format.h>

#include "base/yaml_section.h"
#include "uploader/credentials.h"
#include "uploader/postgresql/store.h"

namespace caravel::uploader {
namespace {

/// The user that `url` names, and one that the key names, are the same key twice.
Result<> read_login(const StoreSection& section, SectionReader& reader, Login& login) {
  std::string user;
  reader.text("user", user);
  if (!user.empty() && login.has("user")) {
    return section.node["user"].error("the url names a user too; say it once");
  }
  if (!user.empty()) login.set("user", user);
  reader.path("ca_file", login.ca_file, section.folder);
  CARAVEL_TRY(reader.result());
  if (section.secrets && !login.ca_file.empty() && ::access(login.ca_file.c_str(), R_OK) != 0) {
    return section.node["ca_file"].error(system_error(login.ca_file, errno).message);
  }
  // Without a password of ours libpq has its own ways: a certificate, the user of the socket's
  // other end, ~/.pgpass, $PGPASSFILE.
  if (!section.node["password_file"].exists() && !has_credential(section)) return {};
  CARAVEL_ASSIGN_OR_RETURN(auto password, read_password(section, login.get("user"), ""));
  login.password = std::move(password.text);
  login.password_file = std::move(password.file);
  return {};
}

/// PostgreSQL's manual, "SSL Support": all but the verify-… modes may talk to anybody.
void warn_of_open_network(const StoreSection& section, const Login& login) {
  const std::string mode = login.get("sslmode");
  if (mode.empty() || mode.starts_with("verify-") || login.names_this_host()) return;
  section.warnings.push_back(fmt::format(
      "{}: sslmode={} does not verify who the server is: the password and the rows may go to "
      "anybody who answers; leave it out (verify-full)",
      section.node["url"].place(), mode));
}

Result<PostgresqlConfig> read_config(const StoreSection& section) {
  PostgresqlConfig config;
  SectionReader reader(section.node);
  if (!reader.has("url")) {
    reader.fail_at("url", "missing; like postgresql://db.example.org/caravel");
  }
  std::string url;
  reader.text("url", url);
  if (reader.is_good("url") && !url.empty()) {
    auto login = read_url(url);
    if (login) {
      config.login = *std::move(login);
    } else {
      reader.fail_at("url", login.error().message);
    }
  }
  reader.text("schema", config.schema);
  if (config.schema.size() > kMostNameBytes) {
    reader.fail_at("schema", fmt::format("PostgreSQL takes {} bytes of a name", kMostNameBytes));
  }
  reader.flag("create", config.create);
  reader.choice<Documents>("documents", config.documents,
                           {{"rows", Documents::rows}, {"both", Documents::both}});
  config.documents_given = reader.has("documents");
  reader.duration("timeout", config.timeout, std::chrono::seconds(1));
  Errors errors;
  errors.add(read_login(section, reader, config.login));
  if (errors.empty()) errors.add(reader.result());
  CARAVEL_TRY(errors.result());
  warn_of_open_network(section, config.login);
  return config;
}

Result<> read(const StoreSection& section, StoreConfig& store) {
  CARAVEL_ASSIGN_OR_RETURN(const auto own, read_config(section));
  store.documents = own.documents;
  store.documents_given = own.documents_given;
  store.place = fmt::format("{} schema {}", own.login.place(), own.schema);
  // The password leaves this function only inside of `make`, where no message can reach it.
  store.make = [own](const StoreSettings& settings) {
    PostgresqlConfig config = own;
    static_cast<StoreSettings&>(config) = settings;
    return make_postgresql_store(config);
  };
  return {};
}

}  // namespace

StoreType postgresql_store_type() {
  return {"postgresql",
          {"url", "user", "password_file", "ca_file", "schema", "create", "documents", "timeout"},
          read};
}

}  // namespace caravel::uploader
