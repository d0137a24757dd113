#include <refrain/errors.hpp>
#include <refrain/payloads.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "plugins/schema_check.hpp"

namespace refrain {
namespace {

using ::testing::HasSubstr;
using ::testing::Pair;

constexpr In<Image> kImage{"image"};
constexpr In<Any> kAny{"any"};
constexpr Param<double> kGain{"gain", 1.0, {0.0, 10.0, 0.01}};
constexpr Param<std::uint64_t> kSeed{"seed", 5, {1, std::numeric_limits<std::uint64_t>::max()}};
constexpr Choice kMode{"mode", {"a", "b"}};
constexpr Choice kFile{"file", FilesIn{"checkpoints"}};
constexpr Hidden<Prompt> kPrompt{};
constexpr Out<Image> kResult{"IMAGE"};

std::pair<std::string, std::string> verdict(const std::function<void(Schema&)>& spoil) {
  Schema schema{"Name", "a", "h", {kImage, kAny, kGain, kSeed, kMode, kFile, kPrompt}, {kResult}};
  spoil(schema);
  try {
    check_schema(schema);
  } catch (const PluginError& error) {
    return {error.code(), error.what()};
  }
  return {"good", ""};
}
Input& input(Schema& schema, std::string_view name) { return const_cast<Input&>(*schema.find_input(name)); }

TEST(SchemaCheck, PassesWhatThePortsMake) {
  EXPECT_EQ(verdict([](Schema&) {}).first, "good");
}

TEST(SchemaCheck, RefusesNamesOfNodesThatAreNotWellFormed) {
  for (const std::string name : {"", " Name", "Name ", "a\nb", "a\"b", "n\xc3\xa9"}) {
    EXPECT_EQ(verdict([&](Schema& s) { s.name = name; }).first, "bad_node_name") << name;
  }
  EXPECT_EQ(verdict([](Schema& s) { s.name.assign(101, 'x'); }).first, "bad_node_name");
  EXPECT_EQ(verdict([](Schema& s) { s.name = "Image (RGB) + Alpha | v1.2"; }).first, "good");
}

TEST(SchemaCheck, RefusesNamesOfPortsThatAreNotWellFormed) {
  EXPECT_THAT(verdict([](Schema& s) { s.inputs[0].name = "two words"; }),
              Pair("bad_port_name", HasSubstr("'two words'")));
  EXPECT_EQ(verdict([](Schema& s) { s.outputs[0].name.clear(); }).first, "bad_port_name");
  EXPECT_EQ(verdict([](Schema& s) { s.inputs[0].name = "blocks.0.weight-1"; }).first, "good");
}

TEST(SchemaCheck, RefusesTwoPortsOfOneName) {
  EXPECT_THAT(verdict([](Schema& s) { s.inputs[1].name = "image"; }), Pair("duplicate_port", HasSubstr("two inputs")));
  EXPECT_THAT(verdict([](Schema& s) { s.outputs.push_back(s.outputs[0]); }),
              Pair("duplicate_port", HasSubstr("two outputs")));
}

TEST(SchemaCheck, RefusesTypesThatAreNotWellFormed) {
  EXPECT_THAT(verdict([](Schema& s) { s.inputs[0].type.name = "image"; }), Pair("bad_port_type", HasSubstr("'image'")));
  EXPECT_EQ(verdict([](Schema& s) { s.outputs[0].type.name = ""; }).first, "bad_port_type");
  EXPECT_EQ(verdict([](Schema& s) { input(s, "PROMPT").type.name = "DYNPROMPT"; }).first, "bad_port_type");
}

TEST(SchemaCheck, LetsALinkHaveOneOfSeveralTypes) {
  EXPECT_EQ(verdict([](Schema& s) { input(s, "any").accept("IMAGE,MASK"); }).first, "good");
  EXPECT_EQ(verdict([](Schema& s) { input(s, "any").accept("IMAGE,"); }).first, "bad_port_type");
  EXPECT_EQ(verdict([](Schema& s) { input(s, "any").accept(""); }).first, "bad_port_type");
}

TEST(SchemaCheck, RefusesADefaultOutsideItsLimits) {
  EXPECT_THAT(verdict([](Schema& s) { input(s, "gain").value = 10.5; }), Pair("bad_default", HasSubstr("10.5")));
  EXPECT_EQ(verdict([](Schema& s) { input(s, "gain").value = std::numeric_limits<double>::quiet_NaN(); }).first,
            "bad_default");
  EXPECT_EQ(verdict([](Schema& s) { input(s, "seed").value = std::uint64_t{0}; }).first, "bad_default");
  EXPECT_EQ(verdict([](Schema& s) { input(s, "gain").value = true; }).first, "bad_default");
}

TEST(SchemaCheck, LetsAValueBeRequiredByHavingNoDefault) {
  EXPECT_EQ(verdict([](Schema& s) { input(s, "gain").value = Literal{}; }).first, "good");
  const auto optional = [](Schema& s) {
    input(s, "gain").make_optional();
    input(s, "gain").value = Literal{};
  };
  EXPECT_EQ(verdict(optional).first, "bad_default");
  const auto crossing = [](Schema& s) {
    input(s, "gain").value = Literal{};
    input(s, "gain").max = -1.0;
  };
  EXPECT_EQ(verdict(crossing).first, "bad_limits");
  // An unsigned one is told by its default, so it needs one.
  EXPECT_EQ(verdict([](Schema& s) { input(s, "seed").value = Literal{}; }).first, "bad_limits");
}

TEST(SchemaCheck, ComparesSeedsExactly) {
  // As doubles the two are equal.
  const auto below = [](Schema& s) {
    input(s, "seed").max = std::numeric_limits<std::uint64_t>::max() - 1;
    input(s, "seed").value = std::numeric_limits<std::uint64_t>::max();
  };
  EXPECT_EQ(verdict(below).first, "bad_default");
}

TEST(SchemaCheck, RefusesLimitsThatCross) {
  EXPECT_EQ(verdict([](Schema& s) { input(s, "gain").max = -1.0; }).first, "bad_limits");
  EXPECT_EQ(verdict([](Schema& s) { input(s, "gain").max = std::int64_t{3}; }).first, "bad_limits");
}

TEST(SchemaCheck, RefusesChoicesThatAreNone) {
  EXPECT_EQ(verdict([](Schema& s) { input(s, "mode").choices.fixed.clear(); }).first, "no_choices");
  EXPECT_EQ(verdict([](Schema& s) { input(s, "mode").choices.fixed[1] = input(s, "mode").choices.fixed[0]; }).first,
            "no_choices");
  EXPECT_EQ(verdict([](Schema& s) { input(s, "mode").default_to("c"); }).first, "bad_default");
  EXPECT_EQ(verdict([](Schema& s) { input(s, "mode").default_to("b"); }).first, "good");
}

TEST(SchemaCheck, RefusesFoldersThatLeadElsewhere) {
  EXPECT_EQ(verdict([](Schema& s) { input(s, "file").choices.folder = "../secrets"; }).first, "bad_limits");
  EXPECT_EQ(verdict([](Schema& s) { input(s, "file").choices.folder = ".."; }).first, "bad_limits");
}

}  // namespace
}  // namespace refrain
