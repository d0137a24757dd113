// ComfyUI 0.3.64's own verdict on every file of tests/workflows (recorded by tests/reference/workflow_replies.py) is
// ours.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include "graph/stub_nodes.hpp"
#include "graph/workflow_error.hpp"
#include "json/json_document.hpp"
#include "json/workflow_reader.hpp"

namespace refrain::test {
namespace {

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// Where we differ on purpose.
const std::map<std::string, const char*, std::less<>>& differences() {
  static const std::map<std::string, const char*, std::less<>> kDifferences = {
      {"invalid/cycle.json", "ComfyUI fails without naming a node"},
      {"invalid/link_to_itself.json", "ComfyUI fails without naming a node"},
      {"invalid/two_cycles.json", "ComfyUI fails without naming a node"},
      {"invalid/literal_in_place_of_a_link.json", "ComfyUI notices when the node runs"},
      {"invalid/undeclared_link_to_a_missing_node.json", "ComfyUI's worker dies of it"},
      {"invalid/negative_slot.json", "Python counts from the end"},
      {"invalid/choices_that_cannot_be_listed.json", "ComfyUI's schema fails as a whole"},
      {"invalid/nested_too_deep.json", "Python's limit is higher"},
      {"invalid/no_nodes.json", "ours has a code of its own: workflow_empty"},
      {"invalid/inputs_is_a_list.json", "to Python a list is an object without the inputs asked for"},
      {"invalid/editor_format_in_a_request.json", "ours says how to export"},
      {"valid/slot_as_a_boolean.json", "we write the slot as a number"},
  };
  return kDifferences;
}

using Lines = std::vector<std::string>;

Lines recorded_lines(JsonView reply) {
  Lines lines;
  if (const auto error = reply.find("error"); error && error->is(JsonKind::array)) {
    const std::string type((*error->begin()).string());
    // Of a whole that failed because of its nodes, the nodes' errors say it all.
    if (type != "prompt_outputs_failed_validation")
      lines.push_back(type + "|" + std::string((*++error->begin()).string()));
  }
  const JsonView errors = reply.find("errors").value();
  for (const JsonView error : errors) {
    std::string line;
    for (const JsonView part : error) line += std::string(part.string()) + "|";
    lines.push_back(line);
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

Lines our_lines(const ValidationResult& result) {
  Lines lines;
  for (const Diagnostic& d : result.diagnostics) {
    const bool of_workflow = d.type == diagnostic_type::kInvalidPrompt || d.type == diagnostic_type::kNoOutputs;
    if (of_workflow) return {d.type + "|" + d.message};  // ComfyUI stops at the first one
    lines.push_back(d.node_id + "|" + d.type + "|" + d.message + "|" + d.details + "|");
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

TEST(ComfyUiAgreement, CoversEveryWorkflowOfTheTests) {
  const std::string text = read_file(std::filesystem::path(REFRAIN_TEST_DATA) / "workflow_replies.json");
  const JsonDocument replies = JsonDocument::parse(text, "workflow_replies.json");
  for (const char* folder : {"valid", "invalid"}) {
    for (const auto& entry :
         std::filesystem::directory_iterator(std::filesystem::path(REFRAIN_WORKFLOW_CASES) / folder)) {
      if (entry.path().extension() != ".json") continue;
      EXPECT_TRUE(replies.root().find(folder + ("/" + entry.path().filename().string()))) << "record " << entry.path();
    }
  }
}

TEST(ComfyUiAgreement, SameErrorsAtTheSameNodesAndTheSamePrompt) {
  const std::string text = read_file(std::filesystem::path(REFRAIN_TEST_DATA) / "workflow_replies.json");
  const JsonDocument replies = JsonDocument::parse(text, "workflow_replies.json");
  StubHost host;
  std::size_t compared = 0;
  for (const JsonView reply : replies.root()) {
    const std::string name(reply.key());
    const std::string workflow = read_file(std::filesystem::path(REFRAIN_WORKFLOW_CASES) / name);
    if (differences().contains(name)) continue;
    if (reply.is(JsonKind::null)) {
      EXPECT_THROW(parse_workflow(workflow, name), WorkflowError) << name;
      continue;
    }
    auto graph = std::make_shared<const WorkflowGraph>(parse_workflow(workflow, name));
    const ValidationResult result = Validator(stub_registry(), host).validate(graph);
    if (const auto prompt = reply.find("prompt")) {
      ASSERT_TRUE(result.plan) << name << "\n" << render(result.diagnostics);
      EXPECT_EQ(result.plan->prompt_json(), prompt->string()) << name;
    } else {
      EXPECT_EQ(our_lines(result), recorded_lines(reply)) << name;
    }
    ++compared;
  }
  EXPECT_GT(compared, 30u);
}

}  // namespace
}  // namespace refrain::test
