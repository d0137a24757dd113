// The nodes' schemas against those of ComfyUI 0.3.64 (tests/data/object_info.json, made by tests/reference).

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "nodes/node_runner.hpp"
#include "planning/object_info.hpp"

namespace refrain::testing {
namespace {

using nlohmann::ordered_json;

const ordered_json& expected() {
  static const ordered_json json = ordered_json::parse(read_text(REFRAIN_TEST_DATA "/object_info.json"));
  return json;
}

/// What the node's description would be, were the tooltips left out: those are our own.
ordered_json described(const std::string& name) {
  const TemporaryFolder folder;
  const TestHost host(folder.path());
  const std::vector<std::string> names{name};
  ordered_json node = ordered_json::parse(object_info(built_nodes(), host, names)).at(name);
  for (auto& section : node.at("input")) {
    for (auto& input : section) {
      if (input.is_array() && input.size() > 1) input[1].erase("tooltip");
      if (input.is_array() && input.size() == 1) input.push_back(ordered_json::object());
    }
  }
  return node;
}

class StockNode : public ::testing::TestWithParam<std::string> {};

TEST_P(StockNode, HasComfyUIsInputsInItsOrder) {
  EXPECT_EQ(described(GetParam()).at("input_order"), expected().at(GetParam()).at("input_order"));
}

TEST_P(StockNode, HasComfyUIsTypesDefaultsLimitsAndOptions) {
  for (const auto& [section, inputs] : expected().at(GetParam()).at("input").items()) {
    for (const auto& [name, wanted] : inputs.items()) {
      const ordered_json ours = described(GetParam()).at("input").at(section).at(name);
      if (section == "hidden") {
        EXPECT_EQ(ours, wanted) << name;
        continue;
      }
      // Samplers and schedulers have a test of their own.
      if (!wanted.at(0).is_array() || (name != "sampler_name" && name != "scheduler")) {
        EXPECT_EQ(ours.at(0), wanted.at(0)) << name;
      }
      // 8 and 8.0 are one number in JSON; both say the same to an editor.
      EXPECT_EQ(nlohmann::json(ours.at(1)), nlohmann::json(wanted.size() > 1 ? wanted.at(1) : ordered_json::object()))
          << name;
    }
  }
}

TEST_P(StockNode, HasComfyUIsOutputs) {
  for (const char* key : {"output", "output_is_list", "output_name", "output_node"}) {
    EXPECT_EQ(described(GetParam()).at(key), expected().at(GetParam()).at(key)) << key;
  }
}

TEST_P(StockNode, StandsWhereComfyUIHasIt) {
  for (const char* key : {"name", "display_name", "category"}) {
    EXPECT_EQ(described(GetParam()).at(key), expected().at(GetParam()).at(key)) << key;
  }
}

std::vector<std::string> stock_nodes() {
  std::vector<std::string> names;
  for (const auto& [name, node] : expected().items()) names.push_back(name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Nodes, StockNode, ::testing::ValuesIn(stock_nodes()),
                         [](const auto& test) { return test.param; });

/// Which of ComfyUI's choices we have, in its order.
void expect_ordered_subset(const char* input, const std::vector<std::string>& required) {
  const auto ours = described("KSampler").at("input").at("required").at(input).at(0).get<std::vector<std::string>>();
  const auto all = expected().at("KSampler").at("input").at("required").at(input).at(0).get<std::vector<std::string>>();
  std::vector<std::string> in_their_order;
  for (const std::string& choice : all) {
    if (std::find(ours.begin(), ours.end(), choice) != ours.end()) in_their_order.push_back(choice);
  }
  EXPECT_EQ(ours, in_their_order);
  EXPECT_THAT(ours, ::testing::IsSupersetOf(required));
}

TEST(KSamplerSchema, OffersSamplersUnderComfyUIsNamesInItsOrder) {
  expect_ordered_subset("sampler_name", {"euler",
                                         "euler_cfg_pp",
                                         "euler_ancestral",
                                         "heun",
                                         "heunpp2",
                                         "dpm_2",
                                         "lms",
                                         "dpm_fast",
                                         "ddpm",
                                         "dpm_2_ancestral",
                                         "dpmpp_2m",
                                         "dpm_adaptive",
                                         "dpmpp_2s_ancestral",
                                         "dpmpp_sde",
                                         "dpmpp_2m_sde",
                                         "dpmpp_3m_sde",
                                         "lcm",
                                         "ipndm",
                                         "ipndm_v",
                                         "deis",
                                         "ddim",
                                         "uni_pc",
                                         "uni_pc_bh2",
                                         "res_multistep"});
}

TEST(KSamplerSchema, OffersAllOfComfyUIsSchedulersInItsOrder) {
  const auto choices = [](const ordered_json& node) { return node.at("input").at("required").at("scheduler").at(0); };
  EXPECT_EQ(choices(described("KSampler")), choices(expected().at("KSampler")));
}

TEST(OurNodes, HaveACategoryOfTheirOwn) {
  for (const char* name :
       {"ApplyCachePolicy", "NoCache", "UniformCache", "ListedCache", "NonUniformCache", "TaylorCache",
        "EncoderPropagation", "PublishedEasyCache", "PhaseCache", "ChainCache", "ContactSheet"}) {
    const NodeType* type = built_nodes().find(name);
    ASSERT_NE(type, nullptr) << name;
    EXPECT_TRUE(type->schema.category.starts_with("refrain/")) << name;
  }
}

TEST(OurNodes, ExplainEveryPort) {
  for (const NodeType* type : built_nodes().types()) {
    if (!type->schema.category.starts_with("refrain/")) continue;
    for (const Input& input : type->schema.inputs)
      EXPECT_FALSE(input.help.empty()) << type->schema.name << "." << input.name;
    for (const Output& output : type->schema.outputs)
      EXPECT_FALSE(output.help.empty()) << type->schema.name << "." << output.name;
  }
}

}  // namespace
}  // namespace refrain::testing
