#include "planning/validator.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "graph/stub_nodes.hpp"

namespace refrain::test {
namespace {

using testing::ElementsAre;

const PlannedInput& input_of(const ExecutionPlan& plan, const PlannedNode& node, std::string_view name) {
  for (const PlannedInput& input : plan.inputs(node)) {
    if (input.name == name) return input;
  }
  throw std::runtime_error("no input " + std::string(name));
}

// One node of type Conversions, shown.
ValidationResult convert(const std::string& input, const std::string& literal) {
  std::string inputs;
  for (const char* name : {"whole", "real", "text", "switch"}) {
    inputs += std::string(inputs.empty() ? "" : ", ") + "\"" + name + "\": " + (name == input ? literal : "1");
  }
  return validate_text("{\"1\": {\"class_type\": \"Conversions\", \"inputs\": {" + inputs +
                       "}},\n \"2\": {\"class_type\": \"Show\", \"inputs\": {\"value\": [\"1\", 0]}}}");
}

template <class T>
T converted(const std::string& input, const std::string& literal) {
  const ValidationResult result = convert(input, literal);
  EXPECT_TRUE(result.plan) << render(result.diagnostics);
  return result.plan->literal(input_of(*result.plan, result.plan->nodes()[0], input)).as<T>();
}

TEST(Validator, PlansSourcesBeforeReadersAndLeavesOutTheRest) {
  const ValidationResult result = validate_text(R"({
    "show": {"class_type": "Show", "inputs": {"value": ["b", 0]}},
    "unused": {"class_type": "Pass", "inputs": {"value": ["b", 0]}},
    "b": {"class_type": "Pass", "inputs": {"value": ["a", 0]}},
    "a": {"class_type": "Pass", "inputs": {"value": 1}, "_meta": {"title": "First"}}})");
  ASSERT_TRUE(result.plan);
  const ExecutionPlan& plan = *result.plan;
  ASSERT_EQ(plan.nodes().size(), 3u);
  EXPECT_EQ(plan.nodes()[0].id, "a");
  EXPECT_EQ(plan.nodes()[0].title, "First");
  EXPECT_EQ(plan.nodes()[1].title, "Pass");
  EXPECT_EQ(plan.nodes()[2].id, "show");
  EXPECT_TRUE(plan.nodes()[2].output);
  EXPECT_THAT(plan.outputs(), ElementsAre(2u));
  EXPECT_EQ(input_of(plan, plan.nodes()[2], "value").source, 1);
  EXPECT_EQ(input_of(plan, plan.nodes()[2], "value").port, 0);
}

TEST(Validator, ConvertsLiteralsAsPythonDoes) {
  EXPECT_EQ(converted<std::int64_t>("whole", "7.9"), 7);
  EXPECT_EQ(converted<std::int64_t>("whole", "\" 1_000 \""), 1000);
  EXPECT_EQ(converted<double>("real", "8"), 8.0);
  EXPECT_EQ(converted<std::string>("text", "true"), "True");
  EXPECT_EQ(converted<std::string>("text", "1.0"), "1.0");
  EXPECT_EQ(converted<std::string>("text", "{\"a\": null}"), "{'a': None}");
  EXPECT_EQ(converted<bool>("switch", "\"false\""), true);
}

TEST(Validator, KeepsSeedsOf64BitsExact) {
  const ValidationResult result = validate_text(R"({
    "1": {"class_type": "KSampler", "inputs": {"seed": 18446744073709551615}},
    "2": {"class_type": "Show", "inputs": {"value": ["1", 0]}}})");
  for (const Diagnostic& diagnostic : result.diagnostics) EXPECT_NE(diagnostic.input_name, "seed");
}

TEST(Validator, RefusesIntegersThatNoPortCanHold) {
  EXPECT_THAT(types_of(convert("whole", "9223372036854775808")), ElementsAre("value_bigger_than_max"));
  EXPECT_EQ(convert("whole", "9223372036854775808").diagnostics[0].message,
            "Value 9223372036854775808 bigger than max of 9223372036854775807");
  EXPECT_THAT(types_of(convert("whole", "-1e30")), ElementsAre("value_smaller_than_min"));
}

TEST(Validator, ReportsEveryBadPortNotOnlyTheFirst) {
  const ValidationResult result = validate_text(R"({
    "3": {"class_type": "KSampler", "inputs": {"seed": -1, "steps": "x", "cfg": 101, "sampler_name": "no",
          "scheduler": "simple", "positive": ["4", 0], "negative": ["4"], "latent_image": ["5", 0]}},
    "4": {"class_type": "LoraNames", "inputs": {"lora_name": "no"}},
    "9": {"class_type": "Show", "inputs": {"value": ["3", 0]}}})");
  EXPECT_THAT(types_of(result),
              ElementsAre("value_smaller_than_min", "invalid_input_type", "value_bigger_than_max", "value_not_in_list",
                          "return_type_mismatch", "bad_linked_input", "exception_during_inner_validation",
                          "required_input_missing", "required_input_missing", "value_not_in_list"));
  EXPECT_EQ(result.diagnostics[7].details, "model");
  EXPECT_EQ(result.diagnostics[8].details, "denoise");
  EXPECT_FALSE(result.plan);
}

TEST(Validator, SaysWhereEachBadInputStands) {
  const ValidationResult result =
      validate_text("{\n \"a/b\": {\"class_type\": \"Show\",\n  \"inputs\": {\"value\":\n    [\"x\", 0]}}}");
  ASSERT_EQ(result.diagnostics.size(), 1u);
  const Diagnostic& diagnostic = result.diagnostics[0];
  EXPECT_EQ(diagnostic.position.line, 4u);
  EXPECT_EQ(diagnostic.position.column, 5u);
  EXPECT_EQ(diagnostic.json_pointer, "/a~1b/inputs/value");
  EXPECT_EQ(diagnostic.type, "exception_during_validation");
  EXPECT_EQ(diagnostic.message, "Exception when validating node");
  EXPECT_EQ(diagnostic.details, "'x'");
  EXPECT_EQ(diagnostic.linked_node, "[\"x\", 0]");
}

TEST(Validator, NamesTheOutputsThatDependOnABadNode) {
  std::string text = R"({"bad": {"class_type": "LoraNames", "inputs": {"lora_name": "no"}},
                         "good": {"class_type": "Show", "inputs": {"value": 1}})";
  for (int i = 0; i < 70; ++i) {
    text += ", \"o" + std::to_string(i) + "\": {\"class_type\": \"Show\", \"inputs\": {\"value\": [\"bad\", 0]}}";
  }
  const ValidationResult result = validate_text(text + "}");
  ASSERT_EQ(result.diagnostics.size(), 1u);
  ASSERT_EQ(result.diagnostics[0].dependent_outputs.size(), 70u);
  EXPECT_EQ(result.diagnostics[0].dependent_outputs.front(), "o0");
  EXPECT_EQ(result.diagnostics[0].dependent_outputs.back(), "o69");
}

TEST(Validator, FailsOnAnUnknownClassThatNothingNeeds) {
  EXPECT_THAT(types_of(validate_text(R"({"1": {"class_type": "Show", "inputs": {"value": 1}},
                                         "2": {"class_type": "Nobody", "inputs": {}}})")),
              ElementsAre("invalid_prompt"));
}

TEST(Validator, PassesUndeclaredLinksOnAndDropsUndeclaredConstants) {
  const ValidationResult result = validate_text(R"({
    "1": {"class_type": "Pass", "inputs": {"value": 1}},
    "2": {"class_type": "Show", "inputs": {"value": 1, "more": ["1", 0], "upload": "image", "prompt": ["1", 0]}}})");
  ASSERT_TRUE(result.plan);
  const PlannedNode& show = result.plan->nodes()[1];
  EXPECT_EQ(show.input_count, 3u);
  EXPECT_EQ(input_of(*result.plan, show, "more").port, -1);
  EXPECT_EQ(input_of(*result.plan, show, "more").source, 0);
}

TEST(Validator, IgnoresWhatTheFileSaysOfHiddenInputs) {
  const ValidationResult result = validate_text(R"({
    "1": {"class_type": "UncheckedChoice", "inputs": {"image": "a"}},
    "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "x", "PROMPT": "forged"}}})");
  ASSERT_TRUE(result.plan);
  EXPECT_EQ(result.plan->nodes()[1].input_count, 2u);
}

TEST(Validator, MarksLazyLinks) {
  const ValidationResult result = validate_text(R"({
    "1": {"class_type": "Pass", "inputs": {"value": 1}},
    "2": {"class_type": "Switch", "inputs": {"switch": true, "on_true": ["1", 0], "on_false": 5}},
    "3": {"class_type": "Show", "inputs": {"value": ["2", 0]}}})");
  ASSERT_TRUE(result.plan) << render(result.diagnostics);
  const PlannedNode& node = result.plan->nodes()[1];
  EXPECT_TRUE(input_of(*result.plan, node, "on_true").lazy);
  EXPECT_FALSE(input_of(*result.plan, node, "switch").lazy);
  EXPECT_EQ(result.plan->literal(input_of(*result.plan, node, "on_false")).as<std::int64_t>(), 5);
}

TEST(Validator, GivesOptionalParametersTheirDefaultAndLeavesOutOptionalLinks) {
  const ValidationResult result = validate_text(R"({
    "1": {"class_type": "UncheckedChoice", "inputs": {"image": "a"}},
    "2": {"class_type": "Blend", "inputs": {"images": ["1", 0], "mask": null}},
    "3": {"class_type": "Show", "inputs": {"value": ["2", 0]}}})");
  ASSERT_TRUE(result.plan) << render(result.diagnostics);
  const PlannedNode& blend = result.plan->nodes()[1];
  EXPECT_EQ(blend.input_count, 3u);
  EXPECT_EQ(result.plan->literal(input_of(*result.plan, blend, "denoise")).as<double>(), 1.0);
  EXPECT_EQ(result.plan->literal(input_of(*result.plan, blend, "scheduler")).as<std::string>(), "normal");
}

TEST(Validator, SharesTheValueOfEqualLiterals) {
  const ValidationResult result = validate_text(R"({
    "1": {"class_type": "Show", "inputs": {"value": "a long enough text to be kept apart"}},
    "2": {"class_type": "Show", "inputs": {"value": "a long enough text to be kept apart"}},
    "3": {"class_type": "Show", "inputs": {"value": "another"}}})");
  ASSERT_TRUE(result.plan);
  const auto literal = [&](std::size_t i) {
    return result.plan->literal(result.plan->inputs(result.plan->nodes()[i])[0]);
  };
  EXPECT_EQ(literal(0), literal(1));
  EXPECT_FALSE(literal(1) == literal(2));
}

TEST(Validator, ReportsACycleAsAPathFromTheFirstNodeOfTheFile) {
  const ValidationResult result = validate_text(R"({
    "9": {"class_type": "Show", "inputs": {"value": ["7", 0]}},
    "4": {"class_type": "Pass", "inputs": {"value": ["7", 0]}},
    "7": {"class_type": "Pass", "inputs": {"value": ["4", 0]}}})");
  EXPECT_THAT(types_of(result), ElementsAre("dependency_cycle"));
  EXPECT_EQ(result.diagnostics[0].details, "4 -> 7 -> 4");
  EXPECT_EQ(result.diagnostics[0].node_id, "4");
  EXPECT_EQ(result.diagnostics[0].input_name, "value");
}

TEST(Validator, AsksTheNodeItself) {
  const auto opinion = [](const std::string& prefix) {
    return validate_text(R"({"1": {"class_type": "UncheckedChoice", "inputs": {"image": "a"}},
      "2": {"class_type": "Opinionated", "inputs": {"filename_prefix": )" +
                         prefix + R"(, "images": ["1", 0]}}})");
  };
  EXPECT_TRUE(opinion("\"fine\"").plan);
  EXPECT_TRUE(opinion("[\"1\", 0]").diagnostics[0].type == "return_type_mismatch");
  const ValidationResult rejected = opinion("\"../x\"");
  ASSERT_THAT(types_of(rejected), ElementsAre("custom_validation_failed"));
  EXPECT_EQ(rejected.diagnostics[0].details, "filename_prefix - leaves the output folder");
  EXPECT_EQ(rejected.diagnostics[0].message, "Custom validation failed for node");
  EXPECT_EQ(rejected.diagnostics[0].input_name, "filename_prefix");
  EXPECT_EQ(rejected.diagnostics[0].position.line, 2u);
  EXPECT_THAT(types_of(opinion("\"throw\"")), ElementsAre("exception_during_validation"));
}

}  // namespace
}  // namespace refrain::test
