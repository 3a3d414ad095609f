#include "uploader/http/answer.h"

#include <gtest/gtest.h>

namespace caravel::uploader {
namespace {

using std::chrono::seconds;

TEST(AnswerOfStatus, SaysWhatIsAskedOfUs) {
  const struct {
    int status;
    Answer answer;
  } cases[] = {
      {200, Answer::good},     {201, Answer::good},      {202, Answer::good},
      {301, Answer::fault},    {304, Answer::fault},     {400, Answer::bad},
      {401, Answer::fault},    {403, Answer::forbidden}, {404, Answer::missing},
      {405, Answer::fault},    {408, Answer::wait},      {409, Answer::conflict},
      {412, Answer::conflict}, {413, Answer::too_large}, {415, Answer::fault},
      {425, Answer::wait},     {429, Answer::wait},      {431, Answer::fault},
      {500, Answer::wait},     {502, Answer::wait},      {503, Answer::wait},
      {504, Answer::wait},     {100, Answer::wait},      {0, Answer::wait},
  };
  for (const auto& test : cases) {
    SCOPED_TRACE(test.status);
    EXPECT_EQ(answer_of_status(test.status), test.answer);
  }
}

TEST(RetryAfter, ReadsSecondsAndDates) {
  // 2012-03-09 12:00:00 UTC
  const auto now = std::chrono::system_clock::from_time_t(1331294400);
  const struct {
    const char* value;
    std::optional<seconds> wait;
  } cases[] = {
      {"120", seconds(120)},
      {" 0 ", seconds(0)},
      {"Fri, 09 Mar 2012 12:00:30 GMT", seconds(30)},
      {"Fri, 09 Mar 2012 11:00:00 GMT", seconds(0)},
      {"Friday, 09-Mar-12 12:00:30 GMT", seconds(30)},
      {"Fri Mar  9 12:00:30 2012", seconds(30)},
      {"99999999", seconds(3600)},
      {"99999999999999999999999", seconds(3600)},
      {"Fri, 09 Mar 2029 12:00:30 GMT", seconds(3600)},
      {"", std::nullopt},
      {"soon", std::nullopt},
      {"-5", std::nullopt},
  };
  for (const auto& test : cases) {
    SCOPED_TRACE(test.value);
    EXPECT_EQ(parse_retry_after(test.value, now), test.wait);
  }
}

}  // namespace
}  // namespace caravel::uploader
