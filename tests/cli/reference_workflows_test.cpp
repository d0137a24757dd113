// The workflows of the paper's tables, on small checkpoints of random weights and with few steps.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/workspace.hpp"
#include "support/png_picture.hpp"

namespace refrain::testing {
namespace {

struct TableWorkflow {
  std::string name;
  std::string checkpoint;
  int side;  ///< of a picture
  int pictures;
};

class TableWorkflows : public ::testing::TestWithParam<TableWorkflow> {
 protected:
  /// Runs workflows/<name><suffix>.json; its pictures.
  std::vector<std::vector<std::uint8_t>> run(const std::string& suffix, const std::string& report = {}) const {
    const TableWorkflow& tested = GetParam();
    const std::string file = std::string(REFRAIN_TEST_WORKFLOWS) + "/" + tested.name + suffix + ".json";
    std::vector<std::string> arguments{"run",   file,
                                       "--set", "Checkpoint.ckpt_name=" + tested.checkpoint,
                                       "--set", "Timesteps.steps=4",
                                       "--set", "Save.filename_prefix=p" + suffix};
    if (!suffix.empty()) arguments.insert(arguments.end(), {"--set", "Policy.interval=2", "--report", report});
    const Outcome outcome = space_.run(arguments);
    EXPECT_EQ(outcome.code, 0) << outcome.errors;
    std::vector<std::vector<std::uint8_t>> pictures;
    for (int i = 1; i <= tested.pictures; ++i) {
      const PngPicture picture =
          read_png(space_.folder / "output" / ("p" + suffix + "_0000" + std::to_string(i) + "_.png"));
      EXPECT_EQ(picture.width, tested.side);
      EXPECT_EQ(picture.height, tested.side);
      pictures.push_back(picture.bytes);
    }
    return pictures;
  }

  Workspace space_;
};

TEST_P(TableWorkflows, DrawPicturesWithoutAndWithDeepCache) {
  const auto plain = run("");
  const auto cached = run("_deepcache", "report.json");
  EXPECT_NE(plain, cached);
  if (GetParam().pictures > 1) {
    EXPECT_NE(plain[0], plain[1]);
  }
  const Json report = Json::parse(read_text(space_.folder / "report.json"));
  EXPECT_NE(report.dump().find("deep("), std::string::npos);
}

TEST(TableWorkflow, OfNonUniformStepsIsFullWhereTheScheduleSays) {
  const Workspace space;
  const std::string file = std::string(REFRAIN_TEST_WORKFLOWS) + "/ldm4g_ddim250_nonuniform.json";
  const Outcome outcome =
      space.run({"run", file, "--set", "Checkpoint.ckpt_name=small_ldm4g.safetensors", "--set", "Timesteps.steps=10",
                 "--set", "Policy.interval=3", "--set", "Policy.center=3", "--report", "report.json"});
  ASSERT_EQ(outcome.code, 0) << outcome.errors;
  const std::string report = read_text(space.folder / "report.json");
  EXPECT_NE(report.find("non-uniform, interval 3, center 3, power 1.2, depth 0"), std::string::npos);
  EXPECT_NE(report.find("deep(0)"), std::string::npos);
}

TEST(TableWorkflow, OfStableDiffusionsNonUniformStepsIsValid) {
  const Workspace space;
  const std::string file = std::string(REFRAIN_TEST_WORKFLOWS) + "/sd15_plms50_nonuniform.json";
  const Outcome outcome = space.run({"validate", file, "--set", "Checkpoint.ckpt_name=small.safetensors"});
  EXPECT_EQ(outcome.code, 0) << outcome.errors;
}

INSTANTIATE_TEST_SUITE_P(Of, TableWorkflows,
                         ::testing::Values(TableWorkflow{"sd15_plms50", "small.safetensors", 512, 1},
                                           TableWorkflow{"ldm4g_ddim250", "small_ldm4g.safetensors", 64, 4},
                                           TableWorkflow{"ddpm_cifar10_ddim100", "small_ddpm-cifar.safetensors", 16, 9},
                                           TableWorkflow{"ddpm_bedroom_ddim100", "small_ddpm.safetensors", 64, 1},
                                           TableWorkflow{"ddpm_church_ddim100", "small_ddpm.safetensors", 64, 1}),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace refrain::testing
