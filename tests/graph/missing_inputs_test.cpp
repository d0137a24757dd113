#include "planning/missing_inputs.hpp"

#include <gtest/gtest.h>

#include <string>

#include "graph/stub_nodes.hpp"
#include "json/input_value.hpp"
#include "json/workflow_reader.hpp"

namespace refrain::test {
namespace {

/// Node `id`'s inputs after filling in, as "name=value ...".
std::string filled(std::string_view text, std::string_view id) {
  WorkflowGraph graph = parse_workflow(text, "x.json");
  fill_in_missing_inputs(graph, stub_registry());
  std::string inputs;
  for (const GraphInput& input : graph.nodes.at(graph.index.at(id)).inputs) {
    inputs += (inputs.empty() ? "" : " ") + input.name + "=" + input_json(input.value);
  }
  return inputs;
}

TEST(MissingInputs, GetTheirDefaultsAndLeaveTheRestAsItIs) {
  EXPECT_EQ(filled(R"({"5": {"class_type": "EmptyLatentImage", "inputs": {"height": 64, "unknown": 1}}})", "5"),
            "height=64 unknown=1 width=512 batch_size=1");
}

TEST(MissingInputs, GetTheFirstOfAListOfChoices) {
  const std::string sampler = filled(R"({"3": {"class_type": "KSampler", "inputs": {"seed": 3}}})", "3");
  EXPECT_NE(sampler.find("sampler_name=\"euler\""), std::string::npos) << sampler;
  EXPECT_EQ(sampler.find("model="), std::string::npos) << "a link has no default: " << sampler;
}

TEST(MissingInputs, NeverBecomeSomeFile) {
  EXPECT_EQ(filled(R"({"4": {"class_type": "CheckpointLoaderSimple", "inputs": {}}})", "4"), "");
}

TEST(MissingInputs, OfUnknownNodesStayMissing) {
  EXPECT_EQ(filled(R"({"8": {"class_type": "Mystery", "inputs": {"a": 1}}})", "8"), "a=1");
}

}  // namespace
}  // namespace refrain::test
