#include <refrain/plugin.hpp>
#include <refrain/testing.hpp>

#include <ATen/core/Generator.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <utility>

namespace refrain {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using testkit::Call;

constexpr In<Image> kImage{"image"};
constexpr In<Optional<Mask>> kMask{"mask"};
constexpr In<Optional<Any>> kAnything{"anything"};
constexpr In<Lazy<Any>> kBranch{"branch"};
constexpr In<List<std::int64_t>> kNumbers{"numbers"};
constexpr In<List<Any>> kValues{"values"};
constexpr Param<double> kGain{"gain", 1.0, {0.0, 10.0}};
constexpr Param<std::uint64_t> kSeed{"seed", 0};
constexpr Param<int> kSteps{"steps", 3};
constexpr Param<bool> kFlag{"flag", false};
constexpr Param<std::string> kText{"text", ""};
constexpr Choice kFile{"file", FilesIn{"checkpoints"}};
constexpr Choice kMode{"mode", {"a", "b"}};
constexpr Hidden<UniqueId> kId{};
constexpr Out<double> kNumber{"number"};
constexpr Out<Any> kResult{"result"};
constexpr Out<List<std::int64_t>> kList{"list"};

Schema schema() {
  return {"Test",
          "test",
          "",
          {kImage, kMask, kAnything, kBranch, kNumbers, kValues, kGain, kSeed, kSteps, kFlag, kText, kFile, kMode, kId},
          {kNumber, kResult, kList}};
}

std::pair<std::string, std::string> failure_of(const auto& action) {
  try {
    action();
  } catch (const NodeError& error) {
    return {error.code(), error.what()};
  }
  return {"no NodeError", ""};
}

TEST(Context, ReadsParametersOfEveryKind) {
  Call call(schema());
  call.with("gain", 2.5).with<std::uint64_t>("seed", std::numeric_limits<std::uint64_t>::max());
  call.with<std::int64_t>("steps", 7)
      .with("flag", true)
      .with<std::string>("text", "hello")
      .with<std::string>("mode", "b");
  const Context ctx(call.frame());
  EXPECT_EQ(ctx[kGain], 2.5);
  EXPECT_EQ(ctx[kSeed], std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(ctx[kSteps], 7);
  EXPECT_TRUE(ctx[kFlag]);
  EXPECT_EQ(ctx[kText], "hello");
  EXPECT_EQ(ctx[kMode], "b");
}

TEST(Context, FindsPortsByNameSoThatACopiedPortWorks) {
  Call call(schema());
  call.with("gain", 2.5);
  const Param<double> copy = kGain;
  EXPECT_EQ(Context(call.frame())[copy], 2.5);
}

TEST(Context, RefusesAnIntegerThatDoesNotFitItsParameter) {
  Call call(schema());
  call.with<std::int64_t>("steps", std::int64_t{1} << 40);
  const Context ctx(call.frame());
  EXPECT_EQ(failure_of([&] { static_cast<void>(ctx[kSteps]); }).first, "out_of_range");
}

TEST(Context, GivesNullForAnOptionalInputThatIsNotConnected) {
  Call call(schema());
  EXPECT_EQ(Context(call.frame())[kMask], nullptr);
  EXPECT_EQ(Context(call.frame())[kAnything], nullptr);
  call.with("mask", Mask{at::full({1, 2, 2}, 1.0)}).with("anything", 1.0);
  const Context ctx(call.frame());
  ASSERT_NE(ctx[kMask], nullptr);
  EXPECT_EQ(ctx[kMask]->values.dim(), 3);
  EXPECT_EQ(ctx[kAnything]->type().name, "FLOAT");
}

TEST(Context, NamesTheInputThatHasTheWrongType) {
  Call call(schema());
  call.with("image", 3.0);
  const Context ctx(call.frame());
  EXPECT_THAT(failure_of([&] { static_cast<void>(ctx[kImage]); }),
              Pair("wrong_type", "input 'image': expected IMAGE, got FLOAT"));
}

TEST(Context, SaysWhyAnInputHasNoValue) {
  Call call(schema());
  const Context ctx(call.frame());
  EXPECT_THAT(failure_of([&] { static_cast<void>(ctx[kImage]); }),
              Pair("missing_input", HasSubstr("nothing is connected")));
  EXPECT_THAT(failure_of([&] { static_cast<void>(ctx[kBranch]); }), Pair("missing_input", HasSubstr("needs()")));
  constexpr In<Image> kForgotten{"forgotten"};
  EXPECT_THAT(failure_of([&] { static_cast<void>(ctx[kForgotten]); }), Pair("missing_input", HasSubstr("schema")));
}

TEST(Context, ReadsAllValuesOfAListAndTheFirstOfTheOthers) {
  Call call(schema());
  call.with_values("numbers", {Value::make<std::int64_t>(1), Value::make<std::int64_t>(2)});
  call.with_values("gain", {Value::make(0.5), Value::make(9.0)});
  const Context ctx(call.frame());
  EXPECT_THAT(std::vector<std::int64_t>(ctx[kNumbers].begin(), ctx[kNumbers].end()), ElementsAre(1, 2));
  EXPECT_EQ(ctx[kNumbers].size(), 2u);
  EXPECT_EQ(ctx[kNumbers][1], 2);
  EXPECT_EQ(ctx[kGain], 0.5);
}

TEST(Context, NamesTheItemOfAListThatHasTheWrongType) {
  Call call(schema());
  call.with_values("numbers", {Value::make<std::int64_t>(1), Value::make(2.0)});
  const Context ctx(call.frame());
  EXPECT_THAT(failure_of([&] { static_cast<void>(ctx[kNumbers]); }),
              Pair("wrong_type", "input 'numbers', item 1: expected INT, got FLOAT"));
}

TEST(Context, HandsOnValuesOfAnyTypeAsTheyAre) {
  Call call(schema());
  call.with("branch", Image{at::full({1, 1, 1, 3}, 0.5)}).with_values("values", {Value::make(1.0), Value::make(true)});
  Context ctx(call.frame());
  ctx.set(kResult, ctx[kBranch]);
  EXPECT_EQ(call.values("result").at(0), ctx[kBranch]);
  EXPECT_EQ(ctx[kValues][1].type().name, "BOOLEAN");
}

TEST(Context, ReplacesAnOutputThatIsSetTwice) {
  Call call(schema());
  Context ctx(call.frame());
  ctx.set(kNumber, 1.0);
  ctx.set(kNumber, 2.0);
  ASSERT_EQ(call.values("number").size(), 1u);
  EXPECT_EQ(call.output<double>("number"), 2.0);
}

TEST(Context, CollectsAListOutput) {
  Call call(schema());
  Context ctx(call.frame());
  ctx.add(kList, 1);
  ctx.add(kList, 2);
  EXPECT_EQ(call.values("list").size(), 2u);
  ctx.set(kList, {7, 8, 9});
  ASSERT_EQ(call.values("list").size(), 3u);
  EXPECT_EQ(call.values("list")[2].as<std::int64_t>(), 9);
}

TEST(Context, RefusesAnOutputThatIsNotInTheSchema) {
  Call call(schema());
  Context ctx(call.frame());
  constexpr Out<double> kForgotten{"forgotten"};
  EXPECT_THAT(failure_of([&] { ctx.set(kForgotten, 1.0); }), Pair("no_such_output", HasSubstr("'forgotten'")));
}

TEST(Context, ReadsHiddenInputs) {
  Call call(schema());
  call.with("UNIQUE_ID", UniqueId{"12:5"});
  EXPECT_EQ(Context(call.frame())[kId].id, "12:5");
}

TEST(Context, FindsTheFileThatAChoiceNames) {
  Call call(schema());
  call.with<std::string>("file", "sd.safetensors").with<std::string>("mode", "a");
  const Context ctx(call.frame());
  EXPECT_EQ(ctx.path(kFile), "/refrain-test/checkpoints/sd.safetensors");
  EXPECT_EQ(failure_of([&] { static_cast<void>(ctx.path(kMode)); }).first, "no_folder");
}

TEST(Context, TellsProgressAfterEachStep) {
  Call call(schema());
  Context ctx(call.frame());
  std::vector<std::int64_t> seen;
  for (const std::int64_t step : ctx.steps(3)) seen.push_back(step);
  EXPECT_THAT(seen, ElementsAre(0, 1, 2));
  EXPECT_THAT(call.host.steps, ElementsAre(Pair(1, 3), Pair(2, 3), Pair(3, 3)));
}

TEST(Context, StopsBetweenStepsWhenCancelled) {
  Call call(schema());
  call.host.cancel_after_polls = 2;
  Context ctx(call.frame());
  int done = 0;
  const auto loop = [&] {
    for ([[maybe_unused]] const std::int64_t step : ctx.steps(9)) ++done;
  };
  EXPECT_THROW(loop(), Cancelled);
  EXPECT_EQ(done, 2);
}

TEST(Context, DoesNothingInNoSteps) {
  Call call(schema());
  Context ctx(call.frame());
  for ([[maybe_unused]] const std::int64_t step : ctx.steps(-1)) FAIL();
  EXPECT_TRUE(call.host.steps.empty());
}

TEST(Context, DrawsWhatTorchDrawsAfterManualSeed) {
  Call call(schema());
  const at::Generator generator = Context(call.frame()).generator(42);
  const at::Tensor drawn = at::empty({3}).normal_(0, 1, generator);
  // torch.manual_seed(42); torch.randn(3), of torch 2.13: exact, since it is the same code and the same bits.
  EXPECT_FLOAT_EQ(drawn[0].item<float>(), 0.33669036626815796f);
  EXPECT_FLOAT_EQ(drawn[1].item<float>(), 0.12880940735340118f);
  EXPECT_FLOAT_EQ(drawn[2].item<float>(), 0.23446236550807953f);
}

TEST(Context, DoesNotShareGenerators) {
  Call call(schema());
  const Context ctx(call.frame());
  const at::Generator first = ctx.generator(1);
  const at::Tensor a = at::empty({2}).normal_(0, 1, first);
  const at::Tensor b = at::empty({2}).normal_(0, 1, ctx.generator(1));
  EXPECT_TRUE(a.equal(b));
}

TEST(Context, PassesOnDeviceTypeLogMemoryAndDeferredWork) {
  Call call(schema());
  Context ctx(call.frame());
  EXPECT_TRUE(ctx.device().is_cpu());
  EXPECT_EQ(ctx.dtype(), c10::kFloat);
  ctx.log("line");
  ctx.log(LogLevel::warning, "careful");
  EXPECT_THAT(call.host.lines, ElementsAre(Pair(LogLevel::info, "line"), Pair(LogLevel::warning, "careful")));
  call.host.free_bytes = 1000;
  EXPECT_NO_THROW(ctx.require_memory(1000, "a latent"));
  EXPECT_EQ(failure_of([&] { ctx.require_memory(1001, "a latent"); }).first, "out_of_memory");
  bool ran = false;
  ctx.later([&] { ran = true; });
  EXPECT_FALSE(ran);
  call.host.deferred.at(0)();
  EXPECT_TRUE(ran);
}

TEST(Context, CollectsTheUiRecordByKey) {
  Call call(schema());
  Context ctx(call.frame());
  ctx.show({"a \"b\".png", "sub", Folder::temp});
  ctx.show_text("line\n");
  ctx.show({"c.png"});
  EXPECT_EQ(json_of(call.ui), R"({"images": [{"filename": "a \"b\".png", "subfolder": "sub", "type": "temp"}, )"
                              R"({"filename": "c.png", "subfolder": "", "type": "output"}], "text": ["line\n"]})");
}

TEST(Context, AttachesRecordsToTheReport) {
  Call call(schema());
  Context ctx(call.frame());
  ctx.report("sampling", R"({"steps": 3})");
  ASSERT_EQ(call.report.size(), 1u);
  EXPECT_EQ(call.report[0].key, "sampling");
  EXPECT_EQ(call.report[0].json, R"({"steps": 3})");
}

TEST(Literals, ReadsALinkedParameterAsNull) {
  Call call(schema());
  call.with("gain", 2.0);
  const Literals in(call.frame(), nullptr);
  ASSERT_NE(in[kGain], nullptr);
  EXPECT_EQ(*in[kGain], 2.0);
  EXPECT_EQ(in[kSeed], nullptr);
  EXPECT_EQ(in[kMode], nullptr);
}

TEST(Literals, CollectsEveryRejection) {
  Call call(schema());
  std::vector<std::string> problems;
  Literals in(call.frame(), &problems);
  in.reject(kGain, "must be even");
  in.reject(kMode, "is no mode");
  EXPECT_THAT(problems, ElementsAre("gain - must be even", "mode - is no mode"));
}

TEST(Literals, FindsTheFileOfAChoiceUnlessItIsLinked) {
  Call call(schema());
  EXPECT_EQ(failure_of([&] { static_cast<void>(Literals(call.frame(), nullptr).path(kFile)); }).first, "linked_input");
  call.with<std::string>("file", "sd.safetensors");
  EXPECT_EQ(Literals(call.frame(), nullptr).path(kFile), "/refrain-test/checkpoints/sd.safetensors");
}

}  // namespace
}  // namespace refrain
