// What one extract may take: of the disk, of our time, and of what it unpacks to.
#include <gmock/gmock.h>

#include "tests/formatter/format_run.h"
#include "tests/formatter/input/packing.h"

namespace caravel::formatter {
namespace {

using test::Gzip;
using test::ShippedFormats;
using testing::HasSubstr;
using testing::Not;

constexpr std::uint64_t kMiB = 1 << 20;

const std::string kLine =
    "09:48:00 03/09 V.1.2683 H.0.0 MT_LOCATION Lat/Lon:367751738166/-76091438594 [Valid] Adher:3 "
    "[Valid] Odom:2668 [Valid] DGPS:On FOM:2\n";

std::string Times(std::string_view line, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += line;
  return text;
}

/// Files for the three outputs, which share a Space.
class LimitsTest : public testing::Test {
 protected:
  FormatRequest Spysocket() {
    FormatRequest request;
    request.format = ShippedFormats().find("spysocket");
    request.years = YearTable::fixed(std::chrono::year(2012));
    return request;
  }
  Result<FormatResult> Run(std::string_view extract, Space::Ask ask,
                           const std::string& rejects_in = "") {
    auto input = Input::open(*open_file(dir_.write_file("extract", extract), O_RDONLY),
                             {.fixed_size = extract.size()});
    if (!input) return tl::unexpected(input.error());
    Space space(std::move(ask));
    const UniqueFd csv_fd = *open_file(dir_.path("csv"), O_WRONLY | O_CREAT | O_TRUNC);
    const UniqueFd sidecar_fd = *open_file(dir_.path("sidecar"), O_WRONLY | O_CREAT | O_TRUNC);
    Output csv(csv_fd.get(), &space);
    Output sidecar(sidecar_fd.get(), &space);
    RejectLimits limits;
    limits.space = &space;
    const std::string folder = dir_.path(rejects_in);
    Rejects rejects({folder + "/rejects", folder + "/reasons", folder + "/cut"},
                    Rejects::Mode::fresh, limits);
    const FormatMonitor monitor{[this](std::uint64_t bytes) { read_ = bytes; }, nullptr};
    auto result = format_extract(*input, Spysocket(), {csv, sidecar, rejects}, monitor);
    used_ = space.used();
    return result;
  }
  [[nodiscard]] std::uint64_t Written() const {
    std::uint64_t written = 0;
    for (const char* name : {"csv", "sidecar", "rejects", "reasons", "cut"}) {
      if (dir_.exists(name)) written += std::filesystem::file_size(dir_.path(name));
    }
    return written;
  }

  test::TempDir dir_;
  std::uint64_t read_ = 0;
  std::uint64_t used_ = 0;
};

TEST_F(LimitsTest, AllThatIsWrittenIsAskedForAndCounted) {
  const std::string text =
      Times(kLine + "rubbish\n", 5000) + std::string(3 * kMiB, 'x') + "\nhalf a line";
  ASSERT_TRUE(Run(text, [](int, std::uint64_t, std::uint64_t) { return Result<>(); }));
  EXPECT_GT(Written(), 4 * kMiB);
  EXPECT_EQ(used_, Written());
}

TEST_F(LimitsTest, NothingIsWrittenThatHasNoRoomAndTheRunEndsSoon) {
  const struct {
    const char* what;
    std::string text;
  } cases[] = {
      {"rows", Times(kLine, 200'000)},
      {"rejects", Times("rubbish\n", 3'000'000)},
      {"one line without an end", std::string(24 * kMiB, 'x')},
  };
  for (const auto& test : cases) {
    SCOPED_TRACE(test.what);
    const auto result = Run(test.text, [](int, std::uint64_t used, std::uint64_t more) -> Result<> {
      if (used + more <= kMiB) return {};
      return fail(ErrorKind::refused, "no room");
    });
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind, ErrorKind::refused);
    EXPECT_EQ(result.error().message, "no room");
    EXPECT_LE(Written(), kMiB);
    EXPECT_LT(read_, 8 * kMiB) << "the rest is not read for nothing";
  }
}

TEST_F(LimitsTest, APairIsNotWholeIfItsRejectsAreNotWritten) {
  const auto result = Run(
      kLine + "rubbish\n", [](int, std::uint64_t, std::uint64_t) { return Result<>(); }, "missing");
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("missing"));
  EXPECT_THAT(dir_.read_file("sidecar"), Not(HasSubstr("end {")));
}

TEST_F(LimitsTest, AFileThatIsTooLargeIsRefusedUnread) {
  const std::string path = dir_.write_file("sparse", "");
  constexpr std::uint64_t kTerabyte = std::uint64_t{1} << 40;
  std::filesystem::resize_file(path, kTerabyte);
  auto input = Input::open(*open_file(path, O_RDONLY), {.fixed_size = kTerabyte});
  ASSERT_TRUE(input);
  Output nowhere(-1);
  Rejects rejects({"", "", ""});
  const auto result = format_extract(*input, Spysocket(), {nowhere, nowhere, rejects});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::content);
  EXPECT_THAT(result.error().message, HasSubstr("max_unpacked"));
  EXPECT_LE(input->packed_bytes(), 4U) << "but for the magic number";
}

TEST_F(LimitsTest, WhatUnpacksToTooManyTimesItsSizeIsRefused) {
  FormatRequest request = Spysocket();
  request.max_ratio = 100;
  const test::FormatRun zeros = test::Format(Gzip(std::string(80 * kMiB, '\0')), request);
  ASSERT_FALSE(zeros.ok);
  EXPECT_EQ(zeros.error.kind, ErrorKind::content);
  EXPECT_EQ(zeros.error.message,
            "unpacks to more than 100 times its size (max_ratio): if it is to be loaded all the "
            "same, raise max_ratio and give it in again");
  const std::string small = Times(kLine, 10'000);
  EXPECT_GT(small.size() / Gzip(small).size(), 100U);
  EXPECT_TRUE(test::Format(Gzip(small), request).ok) << "too small to do harm";
  EXPECT_TRUE(test::Format(std::string(80 * kMiB, '\0'), request).ok) << "not packed at all";
}

TEST_F(LimitsTest, TheFormatIsFoundIfTheFirstLineIsAsLongAsALineMayBe) {
  FormatRequest request;
  request.formats = &ShippedFormats();
  // What the first reads bring: the magic number, and 256 KiB. The line end is not among it.
  request.max_line = 4 + std::size_t{256} * 1024;
  std::string event = R"({"time":"2012-03-09T09:48:00Z","text":")";
  event.append(request.max_line - event.size() - 2, 'x');
  event += "\"}";
  ASSERT_EQ(event.size(), request.max_line);
  const test::FormatRun run = test::Format(event + "\n", request);
  ASSERT_TRUE(run.ok) << run.error.message;
  EXPECT_EQ(run.counts(), "1 = 1 rows + 0 dropped + 0 rejected");
}

}  // namespace
}  // namespace caravel::formatter
