#include "planning/set_input.hpp"

#include <gtest/gtest.h>

#include "graph/stub_nodes.hpp"
#include "graph/workflow_error.hpp"
#include "json/input_value.hpp"
#include "json/workflow_reader.hpp"

namespace refrain::test {
namespace {

WorkflowGraph graph() {
  return parse_workflow(R"({
    "3": {"class_type": "KSampler", "inputs": {"seed": 1, "steps": 20, "model": ["4", 0]},
          "_meta": {"title": "Sampler"}},
    "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "a"}, "_meta": {"title": "Load v1.5"}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a", "clip": ["4", 1]}, "_meta": {"title": "Prompt"}},
    "7.0": {"class_type": "CLIPTextEncode", "inputs": {"text": "b", "clip": ["4", 1]}, "_meta": {"title": "Prompt"}},
    "8": {"class_type": "Mystery", "inputs": {"a.b": 1}}})",
                        "x.json");
}

// The input after setting it, as JSON; or the message.
std::string set(std::string_view target, std::string_view value, std::size_t node, std::string_view input) {
  WorkflowGraph changed = graph();
  try {
    set_input(changed, &stub_registry(), target, value);
  } catch (const WorkflowReadError& error) {
    EXPECT_EQ(error.code(), "setting_rejected");
    return error.message();
  }
  for (const GraphInput& candidate : changed.nodes.at(node).inputs) {
    if (candidate.name == input) return input_json(candidate.value);
  }
  return "not set";
}

TEST(SetInput, FindsNodesByIdAndByTitle) {
  EXPECT_EQ(set("3.seed", "7", 0, "seed"), "7");
  EXPECT_EQ(set("Sampler.seed", "18446744073709551615", 0, "seed"), "18446744073709551615");
  EXPECT_EQ(set("Load v1.5.ckpt_name", "b", 1, "ckpt_name"), "\"b\"");
  EXPECT_EQ(set("7.0.text", "c", 3, "text"), "\"c\"");
  EXPECT_EQ(set("8.a.b", "2", 4, "a.b"), "2");
}

TEST(SetInput, ReadsJsonWhereItIsValidAndTextElsewhere) {
  EXPECT_EQ(set("8.a.b", "true", 4, "a.b"), "true");
  EXPECT_EQ(set("8.a.b", "1e3", 4, "a.b"), "1000.0");
  EXPECT_EQ(set("8.a.b", "\"1\"", 4, "a.b"), "\"1\"");
  EXPECT_EQ(set("8.a.b", "not json", 4, "a.b"), "\"not json\"");
  EXPECT_EQ(set("8.a.b", "", 4, "a.b"), "\"\"");
  EXPECT_EQ(set("8.a.b", "[\"4\", 1]", 4, "a.b"), "[\"4\", 1]");
}

TEST(SetInput, LeavesTextForTextPortsAsItStands) {
  EXPECT_EQ(set("6.text", "true", 2, "text"), "\"true\"");
  EXPECT_EQ(set("6.text", "1e3", 2, "text"), "\"1e3\"");
  EXPECT_EQ(set("6.text", "\"quoted\"", 2, "text"), "\"quoted\"");
  EXPECT_EQ(set("6.text", "{a|b}", 2, "text"), "\"{a|b}\"");
}

TEST(SetInput, ReplacesALinkAndResolvesANewOne) {
  EXPECT_EQ(set("3.model", "\"x\"", 0, "model"), "\"x\"");
  WorkflowGraph changed = graph();
  set_input(changed, nullptr, "3.model", "[\"6\", 0]");
  EXPECT_EQ(std::get<LinkRef>(changed.nodes[0].inputs[2].value).target, 2u);
}

TEST(SetInput, AddsADeclaredInputThatTheFileLeavesOut) { EXPECT_EQ(set("3.cfg", "7.5", 0, "cfg"), "7.5"); }

TEST(SetInput, MakesTheInputsOfANodeThatHasNone) {
  WorkflowGraph changed = parse_workflow(R"({"1": {"class_type": "Show", "_meta": {}}})", "x");
  set_input(changed, &stub_registry(), "1.value", "5");
  StubHost host;
  const auto result =
      Validator(stub_registry(), host).validate(std::make_shared<const WorkflowGraph>(std::move(changed)));
  ASSERT_TRUE(result.plan);
  EXPECT_EQ(result.plan->prompt_json(), R"({"1": {"class_type": "Show", "_meta": {}, "inputs": {"value": 5}}})");
}

TEST(SetInput, NamesWhatIsNearWhenNothingMatches) {
  EXPECT_EQ(set("Samplr.seed", "1", 0, ""),
            "cannot set 'Samplr.seed': no node has the id or title 'Samplr'; did you mean 'Sampler'?");
  EXPECT_EQ(
      set("99.seed", "1", 0, ""),
      "cannot set '99.seed': no node has the id or title '99'; there are: 3, Sampler, 4, Load v1.5, 6, Prompt, 7.0, "
      "Prompt, 8");
  EXPECT_EQ(set("3.sede", "1", 0, ""),
            "cannot set '3.sede': node 3 (KSampler) has no input 'sede'; did you mean 'seed'?");
  EXPECT_EQ(set("4.x", "1", 0, ""),
            "cannot set '4.x': node 4 (CheckpointLoaderSimple) has no input 'x'; there are: ckpt_name");
  EXPECT_EQ(set("seed", "1", 0, ""), "cannot set 'seed': a target is written <node id or title>.<input>, 3.seed say");
}

TEST(SetInput, RefusesATitleOfSeveralNodes) {
  EXPECT_EQ(set("Prompt.text", "x", 0, ""),
            "cannot set 'Prompt.text': 2 nodes have the title 'Prompt'; name one by its id: 6, 7.0");
}

TEST(SetInput, SetsNoHiddenInput) {
  WorkflowGraph changed = parse_workflow(R"({"1": {"class_type": "SaveImage", "inputs": {}}})", "x");
  EXPECT_THROW(set_input(changed, &stub_registry(), "1.PROMPT", "{}"), WorkflowReadError);
}

}  // namespace
}  // namespace refrain::test
