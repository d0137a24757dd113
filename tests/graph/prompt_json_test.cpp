#include <gtest/gtest.h>

#include "graph/stub_nodes.hpp"

namespace refrain::test {
namespace {

std::string prompt_of(std::string_view text) {
  const ValidationResult result = validate_text(text);
  EXPECT_TRUE(result.plan) << render(result.diagnostics);
  return result.plan ? result.plan->prompt_json() : "";
}

TEST(PromptJson, HoldsConvertedLiteralsAndOtherMembersInTheOrderOfTheFile) {
  EXPECT_EQ(prompt_of(R"({
    "1": {"inputs": {"whole": "5", "real": 8, "text": true, "switch": "no", "stray": 1e-5}, "class_type": "Conversions",
          "_meta": {"title": "é"}, "is_changed": [NaN]},
    "2": {"class_type": "Show", "inputs": {"value": ["1", 0]}},
    "unused": {"class_type": "Conversions", "inputs": {"whole": "5"}}})"),
            R"({"1": {"inputs": {"whole": 5, "real": 8.0, "text": "True", "switch": true, "stray": 1e-05}, )"
            R"("class_type": "Conversions", "_meta": {"title": "\u00e9"}, "is_changed": [NaN]}, )"
            R"("2": {"class_type": "Show", "inputs": {"value": ["1", 0]}}, )"
            R"("unused": {"class_type": "Conversions", "inputs": {"whole": "5"}}})");
}

TEST(PromptJson, KeepsSeedsOf64Bits) {
  EXPECT_NE(prompt_of(R"({
    "1": {"class_type": "UncheckedChoice", "inputs": {"image": "a"}},
    "2": {"class_type": "Show", "inputs": {"value": ["1", 0], "seed": 18446744073709551615}}})")
                .find("\"seed\": 18446744073709551615"),
            std::string::npos);
}

TEST(PromptJson, DoesNotMentionDefaultsThatTheFileLeavesOut) {
  EXPECT_EQ(prompt_of(R"({"1": {"class_type": "UncheckedChoice", "inputs": {"image": "a"}},
                          "2": {"class_type": "Blend", "inputs": {"images": ["1", 0]}},
                          "3": {"class_type": "Show", "inputs": {"value": ["2", 0]}}})")
                .find("scheduler"),
            std::string::npos);
}

}  // namespace
}  // namespace refrain::test
