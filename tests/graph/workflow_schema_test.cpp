// The JSON Schema of workflows, by a validator of somebody else's (valijson): it takes every valid workflow of
// tests/workflows, and refuses the invalid ones whose fault can be seen without following a link.

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <set>
#include <sstream>
#include <string>

#include "graph/stub_nodes.hpp"
#include "planning/workflow_schema.hpp"

namespace refrain::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

const json& schema_document() {
  static const json document = json::parse(workflow_schema(stub_registry(), StubHost()));
  return document;
}

const valijson::Schema& schema() {
  static const auto parsed = [] {
    auto made = std::make_unique<valijson::Schema>();
    valijson::SchemaParser parser;
    parser.populateSchema(valijson::adapters::NlohmannJsonAdapter(schema_document()), *made);
    return made;
  }();
  return *parsed;
}

/// What is wrong, or nothing.
std::string fault_of(const json& workflow) {
  valijson::Validator validator;
  valijson::ValidationResults results;
  if (validator.validate(schema(), valijson::adapters::NlohmannJsonAdapter(workflow), &results)) return {};
  std::string text = "refused";
  for (const auto& error : results) {
    for (const std::string& place : error.context) text += place;
    text += " " + error.description + "\n";
  }
  return text;
}

/// The file as JSON; nothing where it is none, which no schema ever sees.
std::optional<json> read_json(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  json document = json::parse(text.str(), nullptr, false);
  if (document.is_discarded()) return {};
  return document;
}

std::vector<fs::path> cases_in(const char* folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(fs::path(REFRAIN_WORKFLOW_CASES) / folder)) {
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

TEST(WorkflowSchema, TakesEveryValidWorkflow) {
  // Editors should point at a broken node even while nothing needs it.
  const std::set<std::string> stricter{"broken_node_that_nothing_needs"};
  std::size_t taken = 0;
  for (const fs::path& file : cases_in("valid")) {
    const auto workflow = read_json(file);
    if (!workflow) continue;                         // NaN: Python's JSON, nobody else's
    if (file.stem() == "seed_of_64_bits") continue;  // this validator reads it as a signed number
    EXPECT_EQ(fault_of(*workflow).empty(), !stricter.contains(file.stem())) << file << "\n" << fault_of(*workflow);
    ++taken;
  }
  EXPECT_GE(taken, 15U);
}

TEST(WorkflowSchema, RefusesWhatCanBeSeenWithoutFollowingALink) {
  const std::set<std::string> beyond_it{
      "choices_that_cannot_be_listed",  // the node's own function fails
      "cycle",
      "link_to_itself",
      "link_with_a_huge_slot",  // an integer, as far as JSON goes
      "missing_node",
      "nested_too_deep",          // how deep a text may be is the reader's business
      "no_files_to_choose_from",  // files differ from machine to machine
      "no_outputs",
      "not_in_a_long_list",  // files again
      "rejected_by_the_node",
      "slot_out_of_range",
      "two_cycles",
      "types_that_do_not_fit",
      "undeclared_link_to_a_missing_node",
      "zero_byte",  // the text ends there, for this reader of JSON
  };
  std::size_t refused = 0;
  for (const fs::path& file : cases_in("invalid")) {
    const auto workflow = read_json(file);
    if (!workflow || beyond_it.contains(file.stem())) continue;
    EXPECT_NE(fault_of(*workflow), "") << file;
    ++refused;
  }
  EXPECT_GE(refused, 20U);
}

json stub_workflow() {
  return json::parse(R"({"1": {"class_type": "Conversions",
                               "inputs": {"whole": 3, "real": 1.5, "text": "x", "switch": true}},
                         "2": {"class_type": "Show", "inputs": {"value": ["1", 0]}}})");
}

TEST(WorkflowSchema, KnowsWhatComfyUIConverts) {
  json workflow = stub_workflow();
  ASSERT_EQ(fault_of(workflow), "");
  for (const char* good : {"\"7\"", "\" 1_000 \"", "true", "7.5", "[\"2\", 0]", "{\"__value__\": 3}"}) {
    workflow["1"]["inputs"]["whole"] = json::parse(good);
    EXPECT_EQ(fault_of(workflow), "") << good;
  }
  for (const char* bad : {"\"seven\"", "\"1.5\"", "null", "{}", "[1, 2, 3]"}) {
    workflow["1"]["inputs"]["whole"] = json::parse(bad);
    EXPECT_NE(fault_of(workflow), "") << bad;
  }
  workflow = stub_workflow();
  for (const char* good : {"\"1e-3\"", "\".5\"", "\"-2.\"", "\"inf\"", "3"}) {
    workflow["1"]["inputs"]["real"] = json::parse(good);
    EXPECT_EQ(fault_of(workflow), "") << good;
  }
  workflow["1"]["inputs"]["real"] = "1,5";
  EXPECT_NE(fault_of(workflow), "");
}

TEST(WorkflowSchema, GivesEditorsHelpDefaultsAndLimits) {
  const json& steps = schema_document().at("definitions").at("inputs").at("KSampler").at("properties").at("steps");
  EXPECT_EQ(steps.at("default"), 20);
  EXPECT_EQ(steps.at("anyOf").at(0).at("minimum"), 1);
  EXPECT_EQ(steps.at("anyOf").at(0).at("maximum"), 10000);
  const json& sampler =
      schema_document().at("definitions").at("inputs").at("KSampler").at("properties").at("sampler_name");
  EXPECT_EQ(sampler.at("anyOf").at(0).at("enum").at(0), "euler");
}

}  // namespace
}  // namespace refrain::test
