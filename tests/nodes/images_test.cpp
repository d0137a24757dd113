#include <refrain/errors.hpp>
#include <refrain/payloads.hpp>

#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "apps/cli/png_text.hpp"
#include "images/png_writer.hpp"
#include "nodes/node_runner.hpp"
#include "support/png_picture.hpp"

namespace refrain::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

Value pictures(const at::Tensor& pixels) { return value(Image{pixels}); }

TEST(Quantise, TruncatesAndClipsAsComfyUIDoes) {
  const std::vector<float> from{0.0F,
                                0.999F,
                                1.0F,
                                1.5F,
                                -0.5F,
                                0.5F,
                                254.999F / 255.0F,
                                1.0F / 255.0F,
                                std::numeric_limits<float>::quiet_NaN(),
                                std::numeric_limits<float>::infinity()};
  std::vector<std::uint8_t> to(from.size());
  quantise(from, to);
  EXPECT_THAT(to, ElementsAre(0, 254, 255, 255, 0, 127, 254, 1, 0, 255));
}

TEST(PngWriter, KeepsPixelsOfEveryNumberOfChannels) {
  for (const int channels : {1, 2, 3, 4}) {
    const TemporaryFolder folder;
    Pixels pixels{3, 2, channels, {}};
    for (int i = 0; i < 6 * channels; ++i) pixels.bytes.push_back(static_cast<std::uint8_t>(10 * i + 1));
    const PngPicture read = read_png(folder.write("a.png", encode_png(pixels, {}, 4)));
    EXPECT_EQ(read.channels, channels);
    EXPECT_EQ(read.bytes, pixels.bytes);
  }
}

TEST(PngWriter, KeepsTextWithinAndBeyondLatin1) {
  const Pixels pixels{1, 1, 3, {1, 2, 3}};
  const std::vector<PngText> texts{{"prompt", R"({"a": "b"})"}, {"latin", "caf\xC3\xA9"}, {"beyond", "\xE7\x8C\xAB"}};
  const std::string file = encode_png(pixels, texts, 4);
  EXPECT_THAT(file, HasSubstr("tEXtprompt"));
  EXPECT_THAT(file, HasSubstr("iTXtbeyond"));
  EXPECT_EQ(cli::read_png_text(file), texts);
}

TEST(SaveImage, WritesTheTruncatedPixels) {
  NodeRunner node;
  at::Tensor pixels = at::zeros({1, 2, 3, 3});
  pixels[0][0][0][0] = 0.999;
  pixels[0][1][2][2] = 1.25;
  node.run("SaveImage", {{"images", pictures(pixels)}});
  const PngPicture picture = read_png(node.folder / "output/ComfyUI_00001_.png");
  EXPECT_EQ(picture.width, 3);
  EXPECT_EQ(picture.height, 2);
  EXPECT_EQ(picture.channels, 3);
  std::vector<std::uint8_t> wanted(18, 0);
  wanted.front() = 254;
  wanted.back() = 255;
  EXPECT_EQ(picture.bytes, wanted);
}

TEST(SaveImage, PutsTheWorkflowIntoTheTextChunks) {
  NodeRunner node;
  node.run("SaveImage", {{"images", pictures(at::zeros({1, 1, 1, 3}))}});
  EXPECT_THAT(cli::read_png_text(read_text(node.folder / "output/ComfyUI_00001_.png")),
              ElementsAre(Pair("prompt", R"({"1": {"class_type": "Test"}})"), Pair("workflow", R"({"nodes": []})")));
}

TEST(SaveImage, TellsTheNamesOfABatch) {
  NodeRunner node;
  node.run("SaveImage", {{"images", pictures(at::zeros({2, 1, 1, 3}))}, {"filename_prefix", text("sub/cat")}});
  EXPECT_EQ(json_of(node.ui), R"({"images": [{"filename": "cat_00001_.png", "subfolder": "sub", "type": "output"}, )"
                              R"({"filename": "cat_00002_.png", "subfolder": "sub", "type": "output"}]})");
  EXPECT_THAT(files_below(node.folder / "output"), ElementsAre("sub/cat_00001_.png", "sub/cat_00002_.png"));
}

TEST(SaveImage, WritesOffTheCriticalPath) {
  NodeRunner node;
  node.host.defer_at_once = false;
  node.run("SaveImage", {{"images", pictures(at::zeros({2, 1, 1, 3}))}});
  EXPECT_THAT(node.host.deferred, SizeIs(2));
  EXPECT_FALSE(std::filesystem::exists(node.folder / "output/ComfyUI_00001_.png"));
  for (const auto& work : node.host.deferred) work();
  EXPECT_TRUE(std::filesystem::exists(node.folder / "output/ComfyUI_00001_.png"));
}

TEST(SaveImage, LeavesNoFileWhenDeferredWorkIsDropped) {
  NodeRunner node;
  node.host.defer_at_once = false;
  node.run("SaveImage", {{"images", pictures(at::zeros({2, 1, 1, 3}))}});
  node.host.deferred.clear();
  EXPECT_THAT(files_below(node.folder / "output"), IsEmpty());
}

TEST(SaveImage, RefusesWhatIsNoPicture) {
  NodeRunner node;
  for (const at::Tensor& pixels : {at::zeros({4, 4, 3}), at::zeros({1, 4, 4, 5}), at::zeros({1, 0, 4, 3})}) {
    EXPECT_THROW(node.run("SaveImage", {{"images", pictures(pixels)}}), NodeError);
  }
  EXPECT_THAT(files_below(node.folder / "output"), IsEmpty());
}

TEST(SaveImage, TakesAlphaAndGrey) {
  for (const std::int64_t channels : {1, 4}) {
    NodeRunner node;
    node.run("SaveImage", {{"images", pictures(at::full({1, 2, 2, channels}, 0.5))}});
    EXPECT_EQ(read_png(node.folder / "output/ComfyUI_00001_.png").channels, channels);
  }
}

TEST(PreviewImage, WritesToTheTemporaryFolderUnderARandomName) {
  NodeRunner node;
  node.run("PreviewImage", {{"images", pictures(at::zeros({1, 1, 1, 3}))}});
  const std::vector<std::string> files = files_below(node.folder / "temp");
  ASSERT_THAT(files, SizeIs(1));
  EXPECT_THAT(files[0], ::testing::MatchesRegex("ComfyUI_temp_[a-z]+_00001_.png"));
  EXPECT_THAT(json_of(node.ui), HasSubstr(R"("type": "temp")"));
  EXPECT_THAT(files_below(node.folder / "output"), IsEmpty());
}

TEST(ContactSheet, PutsBatchesInRowsWithWhiteBetween) {
  NodeRunner node;
  const std::vector<Value> out = node.run("ContactSheet", {{"row_1", pictures(at::full({2, 2, 3, 3}, 0.25))},
                                                           {"row_2", pictures(at::full({1, 1, 3, 4}, 0.75))},
                                                           {"gap", integer(1)}});
  const at::Tensor sheet = out[0].as<Image>().pixels;
  EXPECT_EQ(sheet.sizes().vec(), (std::vector<std::int64_t>{1, 4, 7, 3}));
  const at::Tensor red = sheet[0].select(2, 0);
  const at::Tensor wanted = at::tensor({.25F, .25F, .25F, 1.F, .25F, .25F, .25F,  //
                                        .25F, .25F, .25F, 1.F, .25F, .25F, .25F,  //
                                        1.F,  1.F,  1.F,  1.F, 1.F,  1.F,  1.F,   //
                                        .75F, .75F, .75F, 1.F, 1.F,  1.F,  1.F})
                                .view({4, 7});
  EXPECT_TRUE(red.equal(wanted)) << red;
}

}  // namespace
}  // namespace refrain::testing
