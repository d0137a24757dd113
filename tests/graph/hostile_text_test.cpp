// Damaged and hostile texts: each ends in a plan, in diagnostics or in a WorkflowError, and in nothing else.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "graph/stub_nodes.hpp"
#include "graph/workflow_error.hpp"

namespace refrain::test {
namespace {

std::vector<std::string> valid_workflows() {
  std::vector<std::string> texts;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::filesystem::path(REFRAIN_WORKFLOW_CASES) / "valid")) {
    std::ifstream file(entry.path(), std::ios::binary);
    texts.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return texts;
}

// Everything that is done with a workflow before it runs.
void exercise(const std::string& text) {
  try {
    const ValidationResult result = validate_text(text);
    EXPECT_EQ(result.plan.has_value(), result.diagnostics.empty());
    if (result.plan) {
      EXPECT_FALSE(result.plan->prompt_json().empty());
    }
    EXPECT_LE(render(result.diagnostics).size(), 4000u);
    EXPECT_FALSE(to_json(result.diagnostics).empty());
  } catch (const WorkflowError& error) {
    EXPECT_FALSE(error.code().empty());
    EXPECT_LE(std::string(error.what()).size(), 4000u);
  }
}

TEST(HostileText, TruncatedAtEveryByteIsAWorkflowError) {
  const std::string text = valid_workflows().front();
  const std::size_t end = text.find_last_of('}');
  for (std::size_t size = 0; size <= end; ++size) {
    EXPECT_THROW(validate_text(text.substr(0, size)), WorkflowError) << "after " << size << " bytes";
  }
}

TEST(HostileText, DeepNestingIsAWorkflowError) {
  for (const std::string bracket : {"[", "{\"a\":", "[{\"a\":"}) {
    std::string text;
    for (int i = 0; i < 1'000'000; ++i) text += bracket;
    EXPECT_THROW(validate_text(text), WorkflowError);
  }
}

TEST(HostileText, MutatedBytesNeverCrash) {
  const std::vector<std::string> texts = valid_workflows();
  std::mt19937 random(7);
  for (int round = 0; round < 4000; ++round) {
    std::string text = texts[random() % texts.size()];
    for (unsigned change = random() % 4 + 1; change > 0 && !text.empty(); --change) {
      const std::size_t at = random() % text.size();
      switch (random() % 4) {
        case 0: text[at] = static_cast<char>(random()); break;
        case 1: text.erase(at, random() % 20); break;
        case 2: text.insert(at, text.substr(random() % text.size(), random() % 40)); break;
        default: text[at] = "{}[]\",:0-.eNI\\\n"[random() % 15]; break;
      }
    }
    exercise(text);
  }
}

// Swaps whole tokens, so that most results are still JSON and reach the validator.
TEST(HostileText, MutatedTokensNeverCrash) {
  static const std::vector<std::string> kTokens = {"null",
                                                   "true",
                                                   "NaN",
                                                   "-Infinity",
                                                   "1e999",
                                                   "-1",
                                                   "18446744073709551616",
                                                   "\"\"",
                                                   "\"3\"",
                                                   "[]",
                                                   "{}",
                                                   "[\"3\", 0]",
                                                   "[\"3\", -1]",
                                                   "[\"3\", 9223372036854775807]",
                                                   "[3, 0]",
                                                   "[[\"3\", 0], 0]",
                                                   "{\"__value__\": [1, {\"a\": []}]}",
                                                   "{\"__value__\": {}}",
                                                   "\"\\u0000\"",
                                                   "\"\xF0\x9F\x98\x80\"",
                                                   "0.1",
                                                   "1e-05",
                                                   "\" 5 \""};
  const std::vector<std::string> texts = valid_workflows();
  std::mt19937 random(11);
  for (int round = 0; round < 4000; ++round) {
    std::string text = texts[random() % texts.size()];
    for (unsigned change = random() % 3 + 1; change > 0; --change) {
      const std::size_t colon = text.find(": ", random() % text.size());
      if (colon == text.npos) continue;
      const std::size_t end = text.find_first_of(",}\n", colon + 2);
      if (end != text.npos) text.replace(colon + 2, end - colon - 2, kTokens[random() % kTokens.size()]);
    }
    exercise(text);
  }
}

}  // namespace
}  // namespace refrain::test
