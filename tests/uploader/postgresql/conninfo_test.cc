#include "uploader/postgresql/wire/conninfo.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <map>
#include <optional>

#include "tests/support/temp_dir.h"

namespace caravel::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using uploader::ConnectOptions;
using uploader::options_for;
using uploader::read_url;

/// Environment variables, as they were when the test ends.
class Environment {
 public:
  ~Environment() {
    for (const auto& [name, value] : before_) {
      if (value) {
        ::setenv(name.c_str(), value->c_str(), 1);
      } else {
        ::unsetenv(name.c_str());
      }
    }
  }
  void set(const std::string& name, const std::string& value) {
    const char* const old = std::getenv(name.c_str());
    before_.emplace(name, old != nullptr ? std::optional<std::string>(old) : std::nullopt);
    ::setenv(name.c_str(), value.c_str(), 1);
  }

 private:
  std::map<std::string, std::optional<std::string>> before_;
};

ConnectOptions options_of(const std::string& url) {
  auto options = options_for(read_url(url).value());
  EXPECT_TRUE(options) << options.error().message;
  return options.value_or(ConnectOptions{});
}

TEST(Conninfo, WhoTheServerIsIsVerifiedUnlessItIsThisHost) {
  const struct {
    const char* url;
    const char* mode;
  } cases[] = {
      {"postgresql://db.example.org/caravel", "verify-full"},
      {"postgresql://10.0.0.1/caravel", "verify-full"},
      {"postgresql://127.example.org/caravel", "verify-full"},
      {"postgresql://localhost,db.example.org/caravel", "verify-full"},
      {"postgresql://localhost:5433/caravel", "prefer"},
      {"postgresql://127.0.0.2/caravel", "prefer"},
      {"postgresql://[::1]/caravel", "prefer"},
      {"postgresql:///caravel", "prefer"},
      {"postgresql:///caravel?host=/run/postgresql", "prefer"},
      // The name may be a lie: what is connected to counts.
      {"postgresql://localhost/caravel?hostaddr=10.0.0.1", "verify-full"},
      {"postgresql://db.example.org/caravel?sslmode=require", "require"},
      {"postgresql://db.example.org/caravel?sslmode=prefer", "prefer"},
      {"host=db.example.org", "verify-full"},
  };
  for (const auto& test : cases) EXPECT_EQ(options_of(test.url)["sslmode"], test.mode) << test.url;
}

TEST(Conninfo, ServiceAndEnvironmentAreHonoured) {
  const caravel::test::TempDir folder;
  folder.write_file("services",
                    "[far]\nhost=db.example.org\nport=5444\ndbname=rows\n"
                    "[open]\nhost=db.example.org\nsslmode=require\n");
  Environment environment;
  environment.set("PGSERVICEFILE", folder.path("services"));
  auto far = options_of("postgresql://?service=far");
  EXPECT_EQ(far["host"], "db.example.org");
  EXPECT_EQ(far["port"], "5444");
  EXPECT_EQ(far["sslmode"], "verify-full");
  EXPECT_EQ(options_of("postgresql://?service=open")["sslmode"], "require");
  const auto unknown = options_for(read_url("postgresql://?service=none").value());
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().kind, ErrorKind::fault);
  EXPECT_THAT(unknown.error().message, HasSubstr("none"));
  environment.set("PGHOST", "other.example.org");
  environment.set("PGSSLMODE", "verify-ca");
  auto from_environment = options_of("postgresql://");
  EXPECT_EQ(from_environment["host"], "other.example.org");
  EXPECT_EQ(from_environment["sslmode"], "verify-ca");
}

TEST(Conninfo, OfSeveralServersTheOneThatTakesRowsIsChosen) {
  EXPECT_EQ(options_of("postgresql://a,b/c")["target_session_attrs"], "read-write");
  EXPECT_EQ(options_of("postgresql://a,b/c?target_session_attrs=primary")["target_session_attrs"],
            "primary");
}

TEST(Conninfo, ASecretDoesNotBelongIntoTheUrlAndIsNotRepeated) {
  for (const char* url :
       {"postgresql://me:s3cret@db.example.org/x", "postgresql://db/x?password=s3cret",
        "host=db password=s3cret", "postgresql://db/x?sslpassword=s3cret",
        "postgresql://me:s3cret@db/x?nonsense=s3cret", "s3cret"}) {
    const auto login = read_url(url);
    ASSERT_FALSE(login) << url;
    EXPECT_THAT(login.error().message, Not(HasSubstr("s3cret")));
  }
}

TEST(Conninfo, ThePlaceNamesNoUserAndIsTheSameForTheSameTables) {
  EXPECT_EQ(read_url("postgresql://me@db.example.org:5433/x?sslmode=require")->place(),
            "postgresql://db.example.org:5433/x");
  EXPECT_EQ(read_url("postgresql://?service=far")->place(), "postgresql://?service=far");
  EXPECT_EQ(read_url("postgresql://[::1]/x")->place(), "postgresql://[::1]/x");
}

}  // namespace
}  // namespace caravel::testing
