// Policies as they are written on the command line.

#include <refrain/errors.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/cli/compare/policy_spec.hpp"

namespace refrain::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

TEST(PolicySpec, IsATypeAlone) {
  const PolicySpec spec = parse_policy("NoCache");
  EXPECT_EQ(spec.type, "NoCache");
  EXPECT_THAT(spec.settings, IsEmpty());
}

TEST(PolicySpec, HasSettingsBehindTheType) {
  EXPECT_THAT(parse_policy("UniformCache:interval=5,depth=0").settings,
              ElementsAre(Pair("interval", "5"), Pair("depth", "0")));
}

TEST(PolicySpec, LeavesACommaToTheValueThatItBelongsTo) {
  EXPECT_THAT(parse_policy("ListedCache:steps=0,5,9,depth=2").settings,
              ElementsAre(Pair("steps", "0,5,9"), Pair("depth", "2")));
  EXPECT_THAT(parse_policy("Noted:text=a, b = c,n=1").settings, ElementsAre(Pair("text", "a, b = c"), Pair("n", "1")));
}

TEST(PolicySpec, KeepsAPolicyWithinAPolicyWhole) {
  const PolicySpec spec = parse_policy("Chain:first=(Uniform:interval=2,depth=1),second=(NoCache),at=0.5");
  ASSERT_THAT(spec.settings, ElementsAre(Pair("first", "(Uniform:interval=2,depth=1)"), Pair("second", "(NoCache)"),
                                         Pair("at", "0.5")));
  std::string_view inside;
  ASSERT_TRUE(is_nested_policy(spec.settings[0].second, inside));
  EXPECT_EQ(inside, "Uniform:interval=2,depth=1");
  EXPECT_FALSE(is_nested_policy("0.5", inside));
}

TEST(PolicySpec, TakesEmptyValues) {
  EXPECT_THAT(parse_policy("A:x=,y=").settings, ElementsAre(Pair("x", ""), Pair("y", "")));
}

TEST(PolicySpec, SaysWhatIsWrong) {
  for (const char* text : {"", ":a=1", "A:", "A:5", "A:=5", "A:x=(1", "A:x=1,"}) {
    if (std::string_view(text) == "A:" || std::string_view(text) == "A:x=1,") {
      EXPECT_NO_THROW(parse_policy(text)) << text;  // nothing behind the colon or comma, or a comma of the value
      continue;
    }
    try {
      parse_policy(text);
      ADD_FAILURE() << text;
    } catch (const ValidationError& error) {
      EXPECT_EQ(error.code(), "bad_policy");
      EXPECT_THAT(error.what(), HasSubstr("UniformCache:interval=5,depth=0"));
    }
  }
}

}  // namespace
}  // namespace refrain::cli
