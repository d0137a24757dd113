#include <refrain/plugin.hpp>
#include <refrain/testing.hpp>

#include <gtest/gtest.h>

#include <limits>

namespace refrain {
namespace {

constexpr auto kLargest = std::numeric_limits<std::uint64_t>::max();

/// Its folders hold two files.
class FolderHost final : public testkit::RecordingHost {
 public:
  Choices files_in(std::string_view folder) const override { return {std::string(folder) + "/a", "b"}; }
};

Choices moods(const Host& host) { return {"none", host.files_in("moods").front()}; }

constexpr In<Image> kImage{"image", "a picture"};
constexpr In<Optional<Mask>> kMask{"mask"};
constexpr In<Lazy<Any>> kBranch{"branch"};
constexpr In<List<Image>> kImages{"images"};
constexpr In<std::string> kLinkedText{"linked_text"};
constexpr Param<double> kCfg{"cfg", 8.0, {0.0, 100.0, 0.1, 0.01}, "guidance"};
constexpr Param<std::uint64_t> kSeed{"seed", 0, {0, kLargest}};
constexpr Param<std::int64_t> kOpen{"open", -4};
constexpr Param<int> kSteps{"steps", 20, {1, 10000}};
constexpr Param<bool> kFlag{"flag", true};
constexpr Param<std::string> kText{"text", "hello", Text::multiline};
constexpr Choice kMode{"mode", {"whole", "first line"}};
constexpr Choice kFile{"file", FilesIn{"checkpoints"}};
constexpr Choice kMood{"mood", moods};
constexpr Hidden<Prompt> kPrompt{};
constexpr Out<Image> kResult{"IMAGE", "the result"};
constexpr Out<List<Image>> kResults{"IMAGES"};

TEST(Schema, KeepsTheOrderOfPorts) {
  const Schema schema{"Name", "a/b", "Help.", {kText, kImage, kSeed}, {kResult, kResults}};
  ASSERT_EQ(schema.inputs.size(), 3u);
  EXPECT_EQ(schema.inputs[0].name, "text");
  EXPECT_EQ(schema.inputs[1].name, "image");
  EXPECT_EQ(schema.inputs[2].name, "seed");
  EXPECT_EQ(schema.outputs[1].name, "IMAGES");
  EXPECT_TRUE(schema.outputs[1].list);
  EXPECT_FALSE(schema.outputs[0].list);
  EXPECT_EQ(schema.role, Role::ordinary);
}

TEST(Schema, KnowsWhatKindOfInputAPortMakes) {
  EXPECT_EQ(Input(kImage).type.name, "IMAGE");
  EXPECT_EQ(Input(kImage).help, "a picture");
  EXPECT_FALSE(Input(kImage).widget);
  EXPECT_TRUE(Input(kMask).optional);
  EXPECT_TRUE(Input(kBranch).lazy);
  EXPECT_EQ(Input(kBranch).type.name, "*");
  EXPECT_TRUE(Input(kImages).list);
  EXPECT_TRUE(Input(kPrompt).hidden);
  EXPECT_EQ(Input(kPrompt).name, "PROMPT");
  EXPECT_TRUE(Input(kCfg).widget);
  EXPECT_TRUE(Input(kText).multiline);
}

TEST(Schema, KeepsTheExactKindOfEveryNumber) {
  const Input seed(kSeed);
  EXPECT_EQ(std::get<std::uint64_t>(seed.value), 0u);
  EXPECT_EQ(std::get<std::uint64_t>(seed.min), 0u);
  EXPECT_EQ(std::get<std::uint64_t>(seed.max), kLargest);
  EXPECT_EQ(seed.type.name, "INT");

  const Input cfg(kCfg);
  EXPECT_EQ(std::get<double>(cfg.value), 8.0);
  EXPECT_EQ(std::get<double>(cfg.step), 0.1);
  EXPECT_EQ(std::get<double>(cfg.round), 0.01);

  const Input steps(kSteps);
  EXPECT_EQ(std::get<std::int64_t>(steps.value), 20);
  EXPECT_EQ(std::get<std::int64_t>(steps.max), 10000);
}

TEST(Schema, LimitsAnIntToWhatItCanHold) {
  constexpr Param<int> kUnlimited{"unlimited", 0};
  const Input input(kUnlimited);
  EXPECT_EQ(std::get<std::int64_t>(input.max), std::numeric_limits<int>::max());
  EXPECT_EQ(std::get<std::int64_t>(input.min), std::numeric_limits<int>::min());
}

TEST(Schema, LeavesOutLimitsThatWereNotGiven) {
  const Input open(kOpen);
  EXPECT_TRUE(std::holds_alternative<std::monostate>(open.min));
  EXPECT_TRUE(std::holds_alternative<std::monostate>(open.max));
  EXPECT_TRUE(std::holds_alternative<std::monostate>(open.step));
}

TEST(Schema, MarksALinkOfAPlainTypeSoThatNoWidgetIsDrawnForIt) {
  const Input linked(kLinkedText);
  const OptionValue* forced = linked.find_option("forceInput");
  ASSERT_NE(forced, nullptr);
  EXPECT_TRUE(std::get<bool>(*forced));
  EXPECT_EQ(Input(kText).find_option("forceInput"), nullptr);
}

TEST(Schema, ListsChoicesFromEachOfTheirSources) {
  const FolderHost host;
  EXPECT_EQ(Input(kMode).list_choices(host), (Choices{"whole", "first line"}));
  EXPECT_EQ(Input(kFile).list_choices(host), (Choices{"checkpoints/a", "b"}));
  EXPECT_EQ(Input(kMood).list_choices(host), (Choices{"none", "moods/a"}));
  EXPECT_EQ(Input(kMode).type.name, "COMBO");
}

TEST(Schema, CarriesTheOptionsOfAnEditorInOrder) {
  const Input input = Input{kSeed}.control_after_generate().placeholder("a number").option("advanced", true);
  ASSERT_EQ(input.options.size(), 3u);
  EXPECT_EQ(input.options[0].first, "control_after_generate");
  EXPECT_EQ(std::get<std::string>(input.options[1].second), "a number");
  EXPECT_EQ(input.options[2].first, "advanced");
}

TEST(Schema, ReplacesAnOptionThatIsSetAgain) {
  const Input input = Input{kFlag}.labels("yes", "no").option("label_on", "oui");
  ASSERT_EQ(input.options.size(), 2u);
  EXPECT_EQ(std::get<std::string>(input.options[0].second), "oui");
}

TEST(Schema, CarriesWhatConcernsTheWholeNode) {
  const Schema schema =
      Schema{"Name", "c", "h", {}, {}, Role::output}.titled("A Name").mark_deprecated().mark_experimental();
  EXPECT_EQ(schema.display_name, "A Name");
  EXPECT_TRUE(schema.deprecated);
  EXPECT_TRUE(schema.experimental);
  EXPECT_EQ(schema.role, Role::output);
}

TEST(Schema, FindsPortsByName) {
  const Schema schema{"Name", "c", "h", {kImage, kImages}, {kResult}};
  EXPECT_EQ(schema.find_input("images"), &schema.inputs[1]);
  EXPECT_EQ(schema.find_input("IMAGE"), nullptr);
  EXPECT_EQ(schema.find_output("IMAGE"), &schema.outputs[0]);
  EXPECT_TRUE(schema.takes_lists());
}

}  // namespace
}  // namespace refrain
