// Every file of tests/workflows: those in valid/ make a plan, those in invalid/ give the messages beside them.
// REFRAIN_UPDATE_EXPECTED=1 in the environment writes the messages down anew; read the difference before keeping it.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "graph/stub_nodes.hpp"
#include "graph/workflow_error.hpp"
#include "json/workflow_reader.hpp"

namespace refrain::test {
namespace {

namespace fs = std::filesystem;

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::string> cases_in(const char* folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(fs::path(REFRAIN_WORKFLOW_CASES) / folder)) {
    if (entry.path().extension() == ".json") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

// What a user sees: the code, and the messages.
std::string judge(const fs::path& file) {
  StubHost host;
  try {
    auto graph = std::make_shared<const WorkflowGraph>(parse_workflow(read_file(file), file.filename().string()));
    const ValidationResult result = Validator(stub_registry(), host).validate(graph);
    if (result.plan) return "";
    return std::string(error_code(result.diagnostics)) + "\n" + render(result.diagnostics);
  } catch (const WorkflowError& error) {
    return error.code() + "\n" + error.what() + "\n";
  }
}

class ValidWorkflow : public testing::TestWithParam<std::string> {};
class InvalidWorkflow : public testing::TestWithParam<std::string> {};

TEST_P(ValidWorkflow, MakesAPlan) {
  EXPECT_EQ(judge(fs::path(REFRAIN_WORKFLOW_CASES) / "valid" / (GetParam() + ".json")), "");
}

TEST_P(InvalidWorkflow, GivesTheExpectedMessages) {
  const fs::path base = fs::path(REFRAIN_WORKFLOW_CASES) / "invalid" / GetParam();
  const fs::path expected = base.string() + ".expected";
  const std::string messages = judge(base.string() + ".json");
  if (std::getenv("REFRAIN_UPDATE_EXPECTED")) std::ofstream(expected, std::ios::binary) << messages;
  ASSERT_TRUE(fs::exists(expected)) << "write down what is expected: " << expected;
  EXPECT_EQ(messages, read_file(expected));
}

std::string case_name(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Files, ValidWorkflow, testing::ValuesIn(cases_in("valid")), case_name);
INSTANTIATE_TEST_SUITE_P(Files, InvalidWorkflow, testing::ValuesIn(cases_in("invalid")), case_name);

}  // namespace
}  // namespace refrain::test
