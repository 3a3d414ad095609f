#include "watcher/exchange/manifest.h"

#include <gmock/gmock.h>

namespace caravel::watcher {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

Manifest Sample() {
  Manifest m;
  m.host = "bus-01.example.org";
  m.log = "/var/log/spy socket=\n\xFF.log";
  m.device = 2049;
  m.inode = 18446744073709551615U;
  m.run = "0a1b2c3d";
  m.sequence = 17;
  m.first_line = std::string(32, 'a');
  m.first = 1000;
  m.last = 1500;
  m.bytes = 500;
  m.lines = 5;
  m.sha256 = std::string(64, '0');
  m.cut = std::chrono::sys_days(std::chrono::year(2012) / 3 / 9) + std::chrono::hours(9) +
          std::chrono::milliseconds(2880250);
  return m;
}

std::string Without(std::string_view key) {
  std::string text = format_manifest(Sample());
  const std::size_t at = text.find("\n" + std::string(key) + "=") + 1;
  return text.erase(at, text.find('\n', at) + 1 - at);
}

std::string With(std::string_view key, std::string_view value) {
  return Without(key) + std::string(key) + "=" + std::string(value) + "\n";
}

std::string WhyNot(std::string_view text) {
  const auto parsed = parse_manifest(text);
  if (parsed) return "(it was taken)";
  EXPECT_EQ(parsed.error().kind, ErrorKind::content);
  return parsed.error().message;
}

TEST(ManifestText, IsReadAsItWasWritten) {
  const std::string text = format_manifest(Sample());
  EXPECT_THAT(text, StartsWith("version=1\nhost=bus-01.example.org\n"
                               "log=/var/log/spy%20socket%3D%0A%FF.log\ndevice=2049\n"));
  EXPECT_THAT(text, EndsWith("\ncut=2012-03-09T09:48:00.250Z\n"));
  const auto parsed = parse_manifest(text);
  ASSERT_TRUE(parsed.has_value()) << parsed.error().message;
  EXPECT_EQ(*parsed, Sample());
}

TEST(ManifestText, IsReadWhateverTheClockSaid) {
  for (const auto& [year, said] : {std::pair{1901, "1970-01-01T00:00:00.000Z"},
                                   {2012, "2012-03-09T00:00:00.000Z"},
                                   {2250, "2200-12-31T23:59:59.999Z"}}) {
    Manifest manifest = Sample();
    manifest.cut = std::chrono::sys_days(std::chrono::year(year) / 3 / 9);
    const std::string text = format_manifest(manifest);
    EXPECT_THAT(text, HasSubstr(said));
    EXPECT_TRUE(parse_manifest(text).has_value());
  }
}

TEST(ManifestText, MayHoldKeysOfLaterAgents) {
  const auto parsed = parse_manifest(format_manifest(Sample()) + "colour=a b=c%zz\n");
  ASSERT_TRUE(parsed.has_value()) << parsed.error().message;
  EXPECT_EQ(*parsed, Sample());
}

TEST(ManifestText, NamesLineAndKeyOfWhatIsWrong) {
  const std::string whole = format_manifest(Sample());
  const struct {
    std::string text;
    const char* message;
  } cases[] = {
      {"", "line 1: version: must come first"},
      {"host=a\nversion=1\n", "line 1: version: must come first"},
      {"version=2\n", "line 1: version: is 2, and only 1 is known"},
      {"version=\n", "line 1: version: not a whole number"},
      {whole + "host=again\n", "line 15: host: given twice"},
      {whole + "unknown=1\nunknown=2\n", "line 16: unknown: given twice"},
      {whole + "no equals sign\n", "line 15: is not key=value"},
      {whole + "=x\n", "line 15: is not key=value"},
      {whole + "Key=x\n", "line 15: is not key=value"},
      {whole + "\n", "line 15: is not key=value"},
      {whole + "key=a\tb\n", "line 15: holds a control character"},
      {whole + "key=a\r\n", "line 15: holds a control character"},
      {whole + std::string("key=\0\n", 6), "line 15: holds a control character"},
      {whole.substr(0, whole.size() - 1), "line 14: has no line end (cut off?)"},
      {Without("sha256"), "sha256: missing"},
      {With("sequence", "18446744073709551616"), "sequence: not a whole number"},
      {With("sequence", "-1"), "sequence: not a whole number"},
      {With("sequence", "+1"), "sequence: not a whole number"},
      {With("sequence", "01"), "sequence: not a whole number"},
      {With("sequence", "0"), "sequence: counts from 1"},
      {With("sequence", ""), "sequence: not a whole number"},
      {With("run", "0A1B2C3D"), "run: not 8 lower-case hex"},
      {With("run", "0a1b2c3"), "run: not 8 lower-case hex"},
      {With("first_line", "x"), "first_line: not 32"},
      {With("sha256", std::string(63, '0')), "sha256: not 64"},
      {With("bytes", "501"), "bytes: are not last - first"},
      {With("last", "999"), "last: lies before first"},
      {With("lines", "501"), "lines: more than bytes"},
      {With("host", ""), "host: empty"},
      {With("host", std::string(256, 'h')), "host: has 256 bytes, and no more than 255"},
      {With("log", "/" + std::string(4096, 'l')), "log: has 4097 bytes, and no more than 4096"},
      {With("host", "a b"), "host: not percent-encoded"},
      {With("host", "a%0"), "host: not percent-encoded"},
      {With("host", "%00"), "host: not percent-encoded"},
      {With("cut", "2012-02-30T09:48:00Z"), "cut: not a time"},
      {With("cut", "2012-03-09T09:60:00Z"), "cut: not a time"},
      {With("cut", "2012-03-09 09:48:00Z"), "cut: not a time"},
      {std::string(kMaxManifestBytes + 1, 'a'), "larger than 65536 bytes"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.message);
    EXPECT_THAT(WhyNot(c.text), HasSubstr(c.message));
  }
}

TEST(ManifestText, IsRefusedWhenCutOffAnywhere) {
  const std::string whole = format_manifest(Sample());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(parse_manifest(whole.substr(0, size)).has_value()) << size;
  }
}

TEST(ExtractName, SaysLogHostRunAndSequence) {
  EXPECT_EQ(extract_name("/var/log/app.log", "bus1", "0a1b2c3d", 7),
            "app.log.bus1.0a1b2c3d.00000007.log");
  EXPECT_EQ(extract_name("app", "h", "0a1b2c3d", 123456789), "app.h.0a1b2c3d.123456789.log");
  EXPECT_EQ(manifest_name("x.log"), "x.log.manifest");
}

TEST(ExtractName, HoldsNothingThatADropDirectoryRefuses) {
  const struct {
    std::string log;
    const char* name;
  } cases[] = {
      {"/a/.hidden", "_hidden.h.00000000.00000001.log"},
      {"~tmp", "_tmp.h.00000000.00000001.log"},
      {"", "_.h.00000000.00000001.log"},
      {"a b'\"$.log", "a b'\"$.log.h.00000000.00000001.log"},
      {"a\nb\x7F", "a_b_.h.00000000.00000001.log"},
      {"\xC2\x85\xFFx\xC3\xA9", "__x\xC3\xA9.h.00000000.00000001.log"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(extract_name(c.log, "h", "00000000", 1), c.name);
  }
}

TEST(ExtractName, LeavesRoomForTheManifestsSuffix) {
  std::string log;
  for (int i = 0; i < 100; ++i) log += "\xC3\xA9";
  for (const std::string& host : {std::string("h"), std::string(300, 'h')}) {
    for (const std::uint64_t sequence : {std::uint64_t{1}, ~std::uint64_t{0}}) {
      const std::string name = extract_name(log, host, "00000000", sequence);
      EXPECT_LE(manifest_name(name).size(), 200U);
      EXPECT_GE(manifest_name(name).size(), 150U);
      const auto parts = parse_tail_name(name);
      ASSERT_TRUE(parts.has_value()) << name;
      EXPECT_EQ(parts->sequence, sequence);
    }
  }
}

TEST(TailName, IsKnownByItsShape) {
  const std::string name = "app.log.bus.example.0a1b2c3d.00000007.log";
  const TailName parts{"app.log.bus.example", "0a1b2c3d", 7};
  for (const std::string& whole : {name, name + ".gz", name + ".zst"}) {
    EXPECT_EQ(parse_tail_name(whole), parts);
  }
  EXPECT_EQ(parse_tail_name("a.b.0a1b2c3d.100000000.log")->sequence, 100000000U);
}

TEST(TailName, IsNoOtherName) {
  for (const char* name :
       {"", ".log", "app.log", "a.0a1b2c3d.00000001.log", ".h.0a1b2c3d.00000001.log",
        "a..0a1b2c3d.00000001.log", "a.h.0a1b2c3d.0000001.log", "a.h.0a1b2c3d.000000001.log",
        "a.h.0A1B2C3D.00000001.log", "a.h.0a1b2c3.00000001.log", "a.h.0a1b2c3d.0000000x.log",
        "a.h.0a1b2c3d.00000000.log", "a.h.0a1b2c3d.00000001.txt", "a.h.0a1b2c3d.00000001.log.xz",
        "a.h.0a1b2c3d.00000001.log.manifest", "a.h.0a1b2c3d.99999999999999999999.log",
        "a.h.0a1b2c3d.00000001.log.gz.gz"}) {
    EXPECT_EQ(parse_tail_name(name), std::nullopt) << name;
  }
}

}  // namespace
}  // namespace caravel::watcher
