// refrain compare: workflows and policies on the same seeds, and what is written about them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

#include "cli/workspace.hpp"
#include "support/png_picture.hpp"

namespace refrain::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::Gt;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Lt;
using ::testing::Not;
using ::testing::SizeIs;

/// The small workflow with enough steps that a policy can skip some.
Json workflow_of_steps(int steps) {
  Json workflow = small_workflow();
  workflow["3"]["inputs"]["steps"] = steps;
  return workflow;
}

class CompareCommand : public ::testing::Test {
 protected:
  Outcome compare(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "compare");
    return space.run(std::move(arguments));
  }
  Json result() const { return Json::parse(read_text(space.folder / "out/comparison.json")); }
  std::string page() const { return read_text(space.folder / "out/comparison.html"); }

  Workspace space;
};

TEST_F(CompareCommand, PutsAPolicyBesideTheWorkflowAsItIs) {
  space.write("w.json", workflow_of_steps(6));
  const Outcome outcome =
      compare({"w.json", "--policy", "UniformCache:interval=3,depth=0", "--seeds", "2", "-o", "out"});
  ASSERT_EQ(outcome.code, 0) << outcome.errors;
  EXPECT_EQ(outcome.output, "out/comparison.html\nout/contact_sheet.png\nout/comparison.json\n");
  EXPECT_THAT(outcome.errors, HasSubstr("runs, at most"));
  const Json json = result();
  EXPECT_EQ(json.at("seeds"), Json::parse("[7, 8]"));
  const Json& plain = json.at("entries").at(0);
  const Json& cached = json.at("entries").at(1);
  EXPECT_EQ(plain.at("label"), "w");
  EXPECT_TRUE(plain.at("policy").is_null());
  EXPECT_EQ(plain.at("latent_relative_l2").at("max"), 0);
  EXPECT_EQ(plain.at("ssim").at("min"), 1);
  EXPECT_TRUE(plain.at("psnr_db").at("median").is_null()) << "equal pictures";
  EXPECT_EQ(cached.at("label"), "UniformCache:interval=3,depth=0");
  EXPECT_EQ(cached.at("steps"), 6);
  EXPECT_THAT(cached.at("latent_relative_l2").at("min").get<double>(), Gt(0));
  EXPECT_THAT(cached.at("ssim").at("max").get<double>(), Lt(1));
  ASSERT_THAT(cached.at("runs"), SizeIs(2));
  std::string actions;
  for (const Json& action : cached.at("runs").at(1).at("actions"))
    actions += action.at("action").get<std::string>() + " ";
  EXPECT_EQ(actions, "full deep(0) deep(0) full deep(0) deep(0) ");
  EXPECT_THAT(cached.at("runs").at(0).at("macs").get<double>(), Lt(plain.at("runs").at(0).at("macs").get<double>()));
  EXPECT_THAT(cached.at("speed_up_ideal_by_macs").get<double>(), Gt(1));
}

TEST_F(CompareCommand, LeavesNothingElseBehind) {
  space.write("w.json", workflow_of_steps(2));
  ASSERT_EQ(compare({"w.json", "--policy", "NoCache", "--seeds", "1", "-o", "out"}).code, 0);
  EXPECT_THAT(space.outputs(), IsEmpty());
  EXPECT_THAT(files_below(space.folder / "out"),
              ElementsAre("comparison.html", "comparison.json", "contact_sheet.png"));
}

TEST_F(CompareCommand, CountsItsFoldersUpWhereNoneIsNamed) {
  space.write("w.json", workflow_of_steps(2));
  for (const char* folder : {"comparison_00001", "comparison_00002"}) {
    const Outcome outcome = compare({"w.json", "--policy", "NoCache", "--seeds", "1,", "--no-equal-time", "-q"});
    ASSERT_EQ(outcome.code, 0) << outcome.errors;
    EXPECT_THAT(outcome.output, HasSubstr(std::string("output/") + folder + "/comparison.html"));
    EXPECT_THAT(outcome.errors, IsEmpty());
  }
}

TEST_F(CompareCommand, FindsNoDifferenceWhereAPolicyComputesEverything) {
  space.write("w.json", workflow_of_steps(3));
  ASSERT_EQ(
      compare({"w.json", "--policy", "UniformCache:interval=1", "--seeds", "3,9", "--no-equal-time", "-o", "out"}).code,
      0);
  const Json same = result().at("entries").at(1);
  EXPECT_EQ(same.at("latent_max_abs").at("max"), 0);
  EXPECT_TRUE(same.at("psnr_db").at("min").is_null());
}

TEST_F(CompareCommand, SetsThePlainSamplerBesideWhatTakesLessTime) {
  space.write("a.json", workflow_of_steps(60));
  space.write("b.json", workflow_of_steps(2));
  ASSERT_EQ(compare({"a.json", "b.json", "--seeds", "1", "-o", "out"}).code, 0);
  const Json entries = result().at("entries");
  // Two steps take less time than 60, unless the machine stands still for thirty times as long as a run.
  ASSERT_THAT(entries, SizeIs(3));
  EXPECT_EQ(entries.at(2).at("equal_time_to"), "b");
  const int steps = entries.at(2).at("steps").get<int>();
  EXPECT_THAT(steps, Lt(60));
  EXPECT_THAT(steps, Gt(0));
  EXPECT_THAT(entries.at(2).at("runs").at(0).at("actions"), SizeIs(steps));
  EXPECT_EQ(entries.at(2).at("label"), "a, " + std::to_string(steps) + " steps");
}

TEST_F(CompareCommand, ComparesWorkflowsWithEachOther) {
  space.write("a.json", workflow_of_steps(4));
  space.write("b.json", workflow_of_steps(3));
  const Outcome outcome =
      compare({"a.json", "b.json", "--seeds", "5,6", "--set", "6.text=a red boat", "--no-equal-time", "-o", "out"});
  ASSERT_EQ(outcome.code, 0) << outcome.errors;
  const Json entries = result().at("entries");
  EXPECT_EQ(entries.at(1).at("label"), "b");
  EXPECT_EQ(entries.at(1).at("steps"), 3);
  EXPECT_THAT(entries.at(1).at("latent_relative_l2").at("min").get<double>(), Gt(0));
}

TEST_F(CompareCommand, ReplacesThePolicyThatAWorkflowHasAlready) {
  Json workflow = workflow_of_steps(4);
  workflow["10"] = Json::parse(R"({"class_type": "UniformCache", "inputs": {"interval": 4, "depth": 0}})");
  workflow["11"] =
      Json::parse(R"({"class_type": "ApplyCachePolicy", "inputs": {"model": ["4", 0], "policy": ["10", 0]}})");
  workflow["3"]["inputs"]["model"] = {"11", 0};
  space.write("cached.json", workflow);
  ASSERT_EQ(compare({"cached.json", "--policy", "NoCache", "--seeds", "1", "-o", "out"}).code, 0);
  const Json entries = result().at("entries");
  EXPECT_EQ(entries.at(0).at("runs").at(0).at("actions").at(1).at("action"), "deep(0)");
  EXPECT_EQ(entries.at(1).at("runs").at(0).at("actions").at(1).at("action"), "full");
}

/// The actions of an entry's first run: F full, 0 depth 0, . nothing.
std::string letters(const Json& entry) {
  std::string written;
  for (const Json& action : entry.at("runs").at(0).at("actions")) {
    const auto text = action.at("action").get<std::string>();
    written += text == "full" ? 'F' : text == "nothing" ? '.' : text.at(text.find('(') + 1);
  }
  return written;
}

TEST_F(CompareCommand, TakesModelsCachesAndChainsInPlaceOfTheWorkflowsOwnCache) {
  Json workflow = workflow_of_steps(8);
  workflow["11"] = Json::parse(R"({"class_type": "LazyCache", "inputs": {"model": ["4", 0], "reuse_threshold": 3.0,
    "start_percent": 0.15, "end_percent": 0.95, "verbose": false}})");
  workflow["3"]["inputs"]["model"] = {"11", 0};
  space.write("cached.json", workflow);
  const Outcome outcome = compare(
      {"cached.json", "--policy", "EasyCache:reuse_threshold=3.0,start_percent=0.0,end_percent=1.0", "--policy",
       "ChainCache:first=(UniformCache:interval=3),second=(NoCache)", "--seeds", "1,", "--no-equal-time", "-o", "out"});
  ASSERT_EQ(outcome.code, 0) << outcome.errors;
  const Json entries = result().at("entries");
  EXPECT_THAT(letters(entries.at(0)), HasSubstr("."));
  EXPECT_THAT(letters(entries.at(1)), HasSubstr("F."));
  EXPECT_EQ(letters(entries.at(2)), "F00F00F0");
  EXPECT_NE(letters(entries.at(0)), letters(entries.at(1)));
}

/// Two samplers after each other, by parts.
Json custom_workflow() {
  Json workflow = small_workflow();
  workflow.erase("3");
  workflow.update(Json::parse(R"({
    "10": {"class_type": "RandomNoise", "inputs": {"noise_seed": 5}},
    "11": {"class_type": "CFGGuider", "inputs": {"cfg": 7, "model": ["4", 0], "positive": ["6", 0], "negative": ["7", 0]}},
    "12": {"class_type": "KSamplerSelect", "inputs": {"sampler_name": "dpmpp_2m"}},
    "13": {"class_type": "KarrasScheduler", "inputs": {"steps": 8, "sigma_max": 14.6, "sigma_min": 0.03, "rho": 7}},
    "14": {"class_type": "SplitSigmas", "inputs": {"sigmas": ["13", 0], "step": 4}},
    "15": {"class_type": "DisableNoise", "inputs": {}},
    "20": {"class_type": "SamplerCustomAdvanced", "inputs": {"noise": ["10", 0], "guider": ["11", 0],
           "sampler": ["12", 0], "sigmas": ["14", 0], "latent_image": ["5", 0]}},
    "21": {"class_type": "SamplerCustomAdvanced", "inputs": {"noise": ["15", 0], "guider": ["11", 0],
           "sampler": ["12", 0], "sigmas": ["14", 1], "latent_image": ["20", 0]}}})"));
  workflow["8"]["inputs"]["samples"] = {"21", 1};
  return workflow;
}

TEST_F(CompareCommand, ComparesCustomSampling) {
  space.write("custom.json", custom_workflow());
  const Outcome outcome = compare({"custom.json", "--policy", "UniformCache:interval=2", "--policy",
                                   "EasyCache:reuse_threshold=3.0,start_percent=0.0,end_percent=1.0", "--policy",
                                   "ChainCache:first=(ListedCache:steps=0),second=(PublishedEasyCache)", "--seeds", "2",
                                   "--no-equal-time", "-o", "out"});
  ASSERT_EQ(outcome.code, 0) << outcome.errors;
  const Json json = result();
  EXPECT_EQ(json.at("seeds"), Json::parse("[5, 6]"));
  const Json& entries = json.at("entries");
  EXPECT_EQ(entries.at(0).at("steps"), 8);
  EXPECT_EQ(letters(entries.at(0)), "FFFFFFFF");
  EXPECT_EQ(letters(entries.at(1)), "F0F0F0F0") << "each sampler's run begins full";
  EXPECT_THAT(letters(entries.at(2)), HasSubstr("F."));
  EXPECT_EQ(letters(entries.at(3)), "F000F000");
  for (std::size_t i = 1; i < 4; ++i) {
    EXPECT_THAT(entries.at(i).at("latent_relative_l2").at("min").get<double>(), Gt(0)) << i;
    EXPECT_THAT(entries.at(i).at("runs").at(1).at("macs").get<double>(),
                Lt(entries.at(i).at("runs").at(1).at("macs_uncached").get<double>()));
  }
}

TEST_F(CompareCommand, RunsOnlyWhatThePictureNeeds) {
  Json workflow = workflow_of_steps(2);
  workflow["20"] = Json::parse(R"({"class_type": "LoadLatent", "inputs": {"latent": "missing.latent"}})");
  workflow["21"] =
      Json::parse(R"({"class_type": "SaveLatent", "inputs": {"samples": ["20", 0], "filename_prefix": "x"}})");
  space.write("w.json", workflow);
  const Outcome outcome = compare({"w.json", "--policy", "NoCache", "--seeds", "1", "-o", "out"});
  EXPECT_EQ(outcome.code, 0) << outcome.errors;
}

TEST_F(CompareCommand, DrawsASheetWithARowForEachAndAColumnForEachSeed) {
  space.write("w.json", workflow_of_steps(2));
  ASSERT_EQ(compare({"w.json", "--policy", "NoCache", "--seeds", "2", "--no-equal-time", "-o", "one"}).code, 0);
  ASSERT_EQ(compare({"w.json", "--policy", "NoCache", "--policy", "UniformCache", "--seeds", "3", "--no-equal-time",
                     "-o", "two"})
                .code,
            0);
  const PngPicture one = read_png(space.folder / "one/contact_sheet.png");
  const PngPicture two = read_png(space.folder / "two/contact_sheet.png");
  EXPECT_THAT(two.width - one.width, Gt(63));  // one picture more, 64 pixels wide
  EXPECT_THAT(two.height - one.height, Gt(47));
  EXPECT_THAT(std::vector<std::uint8_t>(one.bytes.begin(), one.bytes.end()), ::testing::Contains(Lt(60))) << "labels";
}

TEST_F(CompareCommand, WritesAPageThatAsksForNothingElse) {
  space.write("w.json", workflow_of_steps(4));
  ASSERT_EQ(
      compare({"w.json", "--policy", "UniformCache:interval=2", "--seeds", "2", "--no-equal-time", "-o", "out"}).code,
      0);
  const std::string html = page();
  EXPECT_FALSE(std::regex_search(html, std::regex(R"((src|href|action)\s*=\s*"?(https?:|//|file:))")));
  EXPECT_THAT(html, Not(HasSubstr("@import")));
  EXPECT_THAT(html, Not(HasSubstr("url(")));
  EXPECT_THAT(html, HasSubstr("default-src 'none'"));
  std::size_t pictures = 0;
  for (auto at = html.find("data:image/png;base64,iVBOR"); at != html.npos;
       at = html.find("data:image/png;base64,", at + 1)) {
    ++pictures;
  }
  EXPECT_EQ(pictures, 4U) << "two seeds of two rows";
  EXPECT_THAT(html, HasSubstr("<svg"));
  EXPECT_THAT(html, HasSubstr("prefers-color-scheme: dark"));
  EXPECT_THAT(html, HasSubstr("step 2: deep(0)"));
}

TEST_F(CompareCommand, ShowsNamesAsTextWhateverTheyHold) {
  space.write("<b>x&\".json", workflow_of_steps(2));
  ASSERT_EQ(compare({"<b>x&\".json", "--policy", "NoCache", "--seeds", "1", "-o", "out"}).code, 0);
  EXPECT_THAT(page(), Not(HasSubstr("<b>x")));
  EXPECT_THAT(page(), HasSubstr("&lt;b&gt;x&amp;&quot;"));
}

struct Mistake {
  const char* name;
  std::vector<std::string> arguments;
  const char* message;
};
void PrintTo(const Mistake& mistake, std::ostream* out) { *out << mistake.name; }

class CompareMistake : public ::testing::TestWithParam<Mistake> {};

TEST_P(CompareMistake, IsToldBeforeAnythingRuns) {
  const Workspace space;
  space.write("w.json", workflow_of_steps(2));
  space.write("latent.json", latent_workflow());
  std::vector<std::string> arguments{"compare"};
  arguments.insert(arguments.end(), GetParam().arguments.begin(), GetParam().arguments.end());
  const Outcome outcome = space.run(arguments);
  EXPECT_EQ(outcome.code, 2) << outcome.errors;
  EXPECT_THAT(outcome.errors, HasSubstr(GetParam().message));
  EXPECT_FALSE(std::filesystem::exists(space.folder / "output"));
}

INSTANTIATE_TEST_SUITE_P(
    Mistakes, CompareMistake,
    ::testing::Values(
        Mistake{"OneWorkflowAlone", {"w.json"}, "--policy UniformCache:interval=5,depth=0"},
        Mistake{"UnknownPolicy", {"w.json", "--policy", "UniformCash"}, "Policies are: "},
        Mistake{"NodeThatIsNoPolicy", {"w.json", "--policy", "VAEDecode"}, "gives neither a CACHE_POLICY"},
        Mistake{"UnknownSetting", {"w.json", "--policy", "UniformCache:intervall=5"}, "did you mean 'interval'"},
        Mistake{"SettingOutOfRange", {"w.json", "--policy", "UniformCache:interval=0"}, "smaller than min"},
        Mistake{"NoPicture", {"latent.json", "--policy", "NoCache"}, "takes a picture that a sampler has made"},
        Mistake{"UnknownImage", {"w.json", "--policy", "NoCache", "--image", "5"}, "output nodes: 9 (SaveImage)"},
        Mistake{"NoSeeds", {"w.json", "--policy", "NoCache", "--seeds", "0"}, "--seeds 0,"},
        Mistake{"BadSeed", {"w.json", "--policy", "NoCache", "--seeds", "1,two"}, "a list of them"},
        Mistake{"MissingFile", {"none.json", "--policy", "NoCache"}, "none.json"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST_F(CompareCommand, FailsWhereAModelCanNotServeAPolicy) {
  space.write("w.json", workflow_of_steps(2));
  const Outcome outcome = compare({"w.json", "--policy", "UniformCache:depth=99", "--seeds", "1", "-o", "out"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.errors, HasSubstr("depth 99"));
  EXPECT_FALSE(std::filesystem::exists(space.folder / "out"));
}

TEST_F(CompareCommand, RefusesToComparePicturesOfOtherSizes) {
  space.write("a.json", workflow_of_steps(2));
  Json other = workflow_of_steps(2);
  other["5"]["inputs"]["width"] = 32;
  space.write("b.json", other);
  const Outcome outcome = compare({"a.json", "b.json", "--seeds", "1", "-o", "out"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.errors, HasSubstr("another size"));
}

}  // namespace
}  // namespace refrain::testing
