#include "apps/cli/progress_display.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <memory>

namespace refrain::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// A stream that keeps what is written to it.
class Screen {
 public:
  Screen() : stream_(::open_memstream(&text_, &size_)) {}
  ~Screen() {
    std::fclose(stream_);
    std::free(text_);
  }
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;
  std::FILE* stream() { return stream_; }
  std::string text() {
    std::fflush(stream_);
    return {text_, size_};
  }

 private:
  char* text_ = nullptr;
  std::size_t size_ = 0;
  std::FILE* stream_;
};

TEST(Pace, CountsStepsASecondAndTheTimeLeft) {
  EXPECT_EQ(pace(2.0, 5, 20), "2.50 it/s, 0:06 left");
  EXPECT_EQ(pace(6.0, 2, 20), "3.00 s/it, 0:54 left");
  EXPECT_EQ(pace(3600.0, 1, 3), "3600.00 s/it, 2:00:00 left");
  EXPECT_EQ(pace(2.0, 4, 4), "2.00 it/s");
  EXPECT_EQ(pace(2.0, 0, 4), "");
}

TEST(ProgressDisplay, RedrawsOneLineOnATerminalAndTakesItAway) {
  Screen screen;
  ProgressDisplay display(screen.stream(), {true, 60});
  display.begin("KSampler [3]");
  display.step("KSampler [3]", 2, 2);
  EXPECT_THAT(screen.text(), HasSubstr("KSampler [3] [####"));
  EXPECT_THAT(screen.text(), HasSubstr("2/2"));
  EXPECT_THAT(screen.text(), Not(HasSubstr("\n")));
  display.end("KSampler [3]");
  EXPECT_TRUE(screen.text().ends_with("\r\x1b[K"));
}

TEST(ProgressDisplay, NeverDrawsBeyondTheTerminalsWidth) {
  Screen screen;
  ProgressDisplay display(screen.stream(), {true, 20});
  display.begin("a label that is longer than the terminal is wide");
  EXPECT_LE(screen.text().size(), std::string("\r\x1b[K").size() + 19);
}

TEST(ProgressDisplay, DrawsSeldomEnough) {
  Screen screen;
  ProgressDisplay display(screen.stream(), {true, 80});
  display.begin("KSampler");
  for (int step = 1; step < 100000; ++step) display.step("KSampler", step, 100000);
  EXPECT_LT(screen.text().size(), 20000U);  // at most ten lines of 80 a second
}

TEST(ProgressDisplay, WritesWholeLinesToAFile) {
  Screen screen;
  ProgressDisplay display(screen.stream(), {false, 80});
  display.begin("KSampler");
  display.step("KSampler", 1, 2);  // too soon after the beginning to be worth a line
  display.step("KSampler", 2, 2);
  display.line("a message");
  EXPECT_THAT(screen.text(), ::testing::MatchesRegex("KSampler: 2/2 [^\n]*\na message\n"));
}

}  // namespace
}  // namespace refrain::cli
