// What is said when an exception has reached nobody.
#include "base/ending/last_words.h"

#include <gtest/gtest.h>

#include <new>
#include <stdexcept>
#include <string>
#include <thread>

namespace caravel {
namespace {

/// Ends with an exception that nobody catches, in a thread that is not the first.
template <class Exception>
void Throw(const Exception& exception) {
  install_last_words("program");
  std::thread([&] { throw exception; }).join();
}

TEST(LastWordsDeathTest, SayWhatWasThrownAndEndWithACode) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  const testing::ExitedWithCode code(kExitOfException);
  EXPECT_EXIT(Throw(std::bad_alloc()), code, "program: out of memory");
  EXPECT_EXIT(Throw(std::runtime_error("the reason")), code, "an exception: the reason");
  EXPECT_EXIT(Throw(7), code, "an exception of an unknown type");
  EXPECT_EXIT(Throw(std::runtime_error("a\n\x1b[31m\xe2\x80\xae")), code, "a\\?\\?\\[31m\\?\\?\\?");
  EXPECT_EXIT(Throw(std::runtime_error(std::string(100'000, 'x'))), code, "x{400}");
}

}  // namespace
}  // namespace caravel
