#include "planning/diagnostic.hpp"

#include <gtest/gtest.h>

#include "graph/stub_nodes.hpp"

namespace refrain::test {
namespace {

TEST(Diagnostic, IsOneLineWithPlaceNodeTitleAndClass) {
  const ValidationResult result = validate_text(R"({
    "3": {"class_type": "EmptyLatentImage", "inputs": {"width": 0, "height": 512, "batch_size": 1},
          "_meta": {"title": "My size"}},
    "9": {"class_type": "Show", "inputs": {"value": ["3", 0]}}})");
  EXPECT_EQ(render(result.diagnostics),
            "test.json:2:65: node 3 \"My size\" (EmptyLatentImage): Value 0 smaller than min of 16 (width)\n");
}

TEST(Diagnostic, ShowsNoControlCharacters) {
  Diagnostic diagnostic;
  diagnostic.source_name = "a\x1b[2J.json";
  diagnostic.message = "x\ny\r";
  EXPECT_EQ(render({&diagnostic, 1}), "a\\x1b[2J.json: x\\ny\\x0d\n");
}

TEST(Diagnostic, StaysBelowTheLimitAndCountsTheRest) {
  std::vector<Diagnostic> many(1000);
  for (Diagnostic& diagnostic : many) diagnostic.message = std::string(700, 'x');
  const std::string text = render(many);
  EXPECT_LE(text.size(), 4000u);
  EXPECT_EQ(text.substr(text.rfind("... and")), "... and 991 more\n");
  EXPECT_LE(render(many, 100).size(), 100u);
}

// The shape is that of ComfyUI 0.3.64's execution.py, validate_prompt().
TEST(Diagnostic, HasTheShapeOfComfyUisReply) {
  const ValidationResult result = validate_text(R"({
    "3": {"class_type": "EmptyLatentImage", "inputs": {"width": 0, "height": "x", "batch_size": 1}},
    "9": {"class_type": "Show", "inputs": {"value": ["3", 1]}}})");
  EXPECT_EQ(
      to_json(result.diagnostics),
      R"({"error":{"type":"prompt_outputs_failed_validation","message":"Prompt outputs failed validation",)"
      R"("details":"Exception when validating node: tuple index out of range","extra_info":{}},"node_errors":{)"
      R"("3":{"errors":[{"type":"value_smaller_than_min","message":"Value 0 smaller than min of 16","details":"width",)"
      R"("extra_info":{"input_name":"width","input_config":["INT",{"default":512,"min":16,"max":16384,"step":8}],)"
      R"("received_value":0,"line":2,"column":65,"json_pointer":"/3/inputs/width"}},)"
      R"({"type":"invalid_input_type","message":"Failed to convert an input value to a INT value",)"
      R"("details":"height, x, invalid literal for int() with base 10: 'x'","extra_info":{"input_name":"height",)"
      R"("input_config":["INT",{"default":512,"min":16,"max":16384,"step":8}],"received_value":"x",)"
      R"("exception_message":"invalid literal for int() with base 10: 'x'","line":2,"column":78,)"
      R"("json_pointer":"/3/inputs/height"}}],"dependent_outputs":["9"],"class_type":"EmptyLatentImage"},)"
      R"("9":{"errors":[{"type":"exception_during_validation","message":"Exception when validating node",)"
      R"("details":"tuple index out of range","extra_info":{"input_name":"value","input_config":["*",{}],)"
      R"("linked_node":["3", 1],"exception_message":"tuple index out of range","line":3,"column":53,)"
      R"("json_pointer":"/9/inputs/value"}}],"dependent_outputs":["9"],"class_type":"Show"}}})");
}

TEST(Diagnostic, PutsAnUnknownClassInThePlaceOfTheError) {
  const ValidationResult result = validate_text(R"({"1": {"class_type": "Nobody", "inputs": {}}})");
  EXPECT_STREQ(error_code(result.diagnostics), "workflow_unknown_nodes");
  EXPECT_TRUE(
      to_json(result.diagnostics)
          .starts_with(R"({"error":{"type":"invalid_prompt","message":"Cannot execute because node Nobody does not )"
                       R"(exist.","details":"Node ID '#1'","extra_info":{}})"));
}

}  // namespace
}  // namespace refrain::test
