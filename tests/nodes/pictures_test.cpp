// Loading pictures and working on them. The files in tests/data/pictures and what they should give were made by Pillow
// and ComfyUI 0.3.64 (tests/reference/vectors_pictures.py).

#include <refrain/errors.hpp>
#include <refrain/payloads.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "diffusion/golden_vectors.hpp"
#include "nodes/node_runner.hpp"

namespace refrain::testing {
namespace {

using diffusion::testing::difference;
using diffusion::testing::identical;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr double kRounding = 2e-6;  // sums of a few float32 products
const std::filesystem::path kPictures = REFRAIN_TEST_DATA "/pictures";

const diffusion::testing::GoldenVectors& golden() {
  static const diffusion::testing::GoldenVectors vectors("pictures.safetensors");
  return vectors;
}

Value number(double x) { return value<double>(x); }
Value image(const char* name) { return value(Image{golden()[std::string("input/") + name]}); }
Value first(const char* node, NodeRunner::Inputs inputs) { return NodeRunner().run(node, std::move(inputs))[0]; }
const at::Tensor& pixels(const Value& given) { return given.as<Image>().pixels; }
at::Tensor bytes(const at::Tensor& values) { return (values * 255).round().to(at::kByte); }

/// How far apart two pictures of 8 bits are at most.
std::int64_t levels_between(const at::Tensor& a, const at::Tensor& b) {
  if (a.sizes() != b.sizes()) return 256;
  return (a.to(at::kInt) - b.to(at::kInt)).abs().max().item<std::int64_t>();
}

std::vector<std::string> picture_names() {
  std::vector<std::string> names;
  for (const auto& file : std::filesystem::directory_iterator(kPictures)) names.push_back(file.path().filename());
  std::ranges::sort(names);
  return names;
}

class LoadedPicture : public ::testing::TestWithParam<std::string> {
 protected:
  LoadedPicture() { std::filesystem::copy(kPictures / GetParam(), node.folder / "input" / GetParam()); }
  NodeRunner node;
};
INSTANTIATE_TEST_SUITE_P(Files, LoadedPicture, ::testing::ValuesIn(picture_names()), [](const auto& info) {
  std::string name = info.param;
  std::ranges::replace(name, '.', '_');
  return name;
});

TEST_P(LoadedPicture, IsThatOfComfyUI) {
  const auto out = node.run("LoadImage", {{"image", text(GetParam())}});
  const std::string name = "load/" + GetParam();
  // Of lossy formats another version of the decoder may round another way.
  const std::int64_t allowed = GetParam().ends_with(".jpg") || GetParam() == "lossy.webp" ? 1 : 0;
  EXPECT_LE(levels_between(bytes(pixels(out[0])), golden()[name + "/picture"]), allowed);
  EXPECT_EQ(levels_between(bytes(out[1].as<Mask>().values), golden()[name + "/mask"]), 0);
}

TEST(LoadImageMask, TakesOneChannel) {
  for (const char* file : {"rgba.png", "colour.jpg", "palette_transparent.png"}) {
    NodeRunner node;
    std::filesystem::copy(kPictures / file, node.folder / "input" / file);
    for (const char* channel : {"alpha", "red", "green", "blue"}) {
      const auto out = node.run("LoadImageMask", {{"image", text(file)}, {"channel", text(channel)}});
      const std::string name = std::string("load_mask/") + file + "/" + channel;
      EXPECT_LE(levels_between(bytes(out[0].as<Mask>().values), golden()[name]), 1)
          << name;  // a JPEG decoder's rounding
    }
  }
}

TEST(LoadImage, ListsPicturesAndSaysWhatIsWrong) {
  NodeRunner node;
  std::filesystem::copy(kPictures / "rgb.png", node.folder / "input" / "b.PNG");
  std::filesystem::copy(kPictures / "rgb.png", node.folder / "input" / "a.png");
  node.folder.write("input/c.txt", "no picture");
  const Input* choices = built_nodes().find("LoadImage")->schema.find_input("image");
  EXPECT_THAT(choices->list_choices(node.host), ElementsAre("a.png", "b.PNG"));
  EXPECT_THAT(node.validate("LoadImage", {{"image", text("a.png")}}), SizeIs(0));
  EXPECT_THAT(node.validate("LoadImage", {{"image", text("d.png")}}), ElementsAre(HasSubstr("d.png")));
  EXPECT_THROW(node.run("LoadImage", {{"image", text("c.txt")}}), NodeError);
  EXPECT_THROW(node.run("LoadImage", {{"image", text("../secret.png")}}), NodeError);
}

TEST(LoadImage, RefusesDamagedPictures) {
  for (const char* file : {"rgb.png", "palette.png", "colour.jpg", "lossy.webp", "lossless.webp"}) {
    const std::string whole = read_text(kPictures / file);
    for (const std::size_t size : {whole.size() / 4, whole.size() / 2, whole.size() - 20}) {
      NodeRunner node;
      node.folder.write(std::string("input/") + file, std::string_view(whole).substr(0, size));
      EXPECT_THROW(node.run("LoadImage", {{"image", text(file)}}), NodeError) << file << " " << size;
    }
  }
}

TEST(LoadImage, RefusesSizesWithoutMemoryBeforeItDecodes) {
  std::string huge = read_text(kPictures / "rgb.png");
  for (const std::size_t at : {16U, 20U}) huge.replace(at, 4, std::string("\x00\x7f\xff\xff", 4));
  NodeRunner node;
  node.folder.write("input/huge.png", huge);
  EXPECT_THROW(node.run("LoadImage", {{"image", text("huge.png")}}), NodeError);  // also its checksum is wrong
}

TEST(LoadImage, NoticesThatItsFileHasChanged) {
  NodeRunner node;
  std::filesystem::copy(kPictures / "rgb.png", node.folder / "input" / "a.png");
  const Fingerprint before = node.fingerprint("LoadImage", {{"image", text("a.png")}});
  node.folder.write("input/a.png", "other");
  EXPECT_NE(node.fingerprint("LoadImage", {{"image", text("a.png")}}), before);
}

class Scaling : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Methods, Scaling, ::testing::Values("nearest-exact", "bilinear", "area", "bicubic", "lanczos"),
                         [](const auto& info) {
                           return info.param == std::string("nearest-exact") ? "nearest_exact"
                                                                             : std::string(info.param);
                         });

TEST_P(Scaling, GivesComfyUIsPictures) {
  const std::string method = GetParam();
  const Value scaled = first(
      "ImageScale",
      {{"image", image("one")}, {"upscale_method", text(method)}, {"width", integer(31)}, {"height", integer(12)}});
  EXPECT_LT(difference(pixels(scaled), golden()["scale/" + method]), kRounding);
  const Value half =
      first("ImageScaleBy", {{"image", image("one")}, {"upscale_method", text(method)}, {"scale_by", number(0.6)}});
  EXPECT_LT(difference(pixels(half), golden()["scale_by/" + method]), kRounding);
}

TEST(ImageScale, CropsAndKeepsProportionsOnRequest) {
  const Value centered = first("ImageScale", {{"image", image("one")},
                                              {"upscale_method", text("lanczos")},
                                              {"width", integer(12)},
                                              {"height", integer(30)},
                                              {"crop", text("center")}});
  EXPECT_LT(difference(pixels(centered), golden()["scale/center"]), kRounding);
  const Value wide = first(
      "ImageScale",
      {{"image", image("one")}, {"upscale_method", text("bilinear")}, {"width", integer(40)}, {"height", integer(0)}});
  EXPECT_LT(difference(pixels(wide), golden()["scale/by_width"]), kRounding);
}

TEST(ImageBatch, FitsTheSecondToTheFirst) {
  const Value both = first("ImageBatch", {{"image1", image("one")}, {"image2", image("two")}});
  EXPECT_LT(difference(pixels(both), golden()["batch"]), kRounding);
}

TEST(ImagePadForOutpaint, AddsGreyAndAMaskThatFades) {
  const auto out = NodeRunner().run("ImagePadForOutpaint", {{"image", image("one")},
                                                            {"left", integer(8)},
                                                            {"right", integer(16)},
                                                            {"bottom", integer(8)},
                                                            {"feathering", integer(5)}});
  EXPECT_TRUE(identical(pixels(out[0]), golden()["pad/picture"]));
  EXPECT_LT(difference(out[1].as<Mask>().values, golden()["pad/mask"]), kRounding);
}

TEST(ImageBlend, KnowsComfyUIsModes) {
  for (const std::string mode : {"normal", "multiply", "screen", "overlay", "soft_light", "difference"}) {
    const Value mixed = first("ImageBlend", {{"image1", image("one")},
                                             {"image2", image("two")},
                                             {"blend_factor", number(0.7)},
                                             {"blend_mode", text(mode)}});
    EXPECT_LT(difference(pixels(mixed), golden()["blend/" + mode]), 5e-6) << mode;  // a chain of some ten operations
  }
}

TEST(ImageFilters, BlurAndSharpenAsComfyUI) {
  const Value blurred =
      first("ImageBlur", {{"image", image("one")}, {"blur_radius", integer(4)}, {"sigma", number(0.6)}});
  EXPECT_LT(difference(pixels(blurred), golden()["blur"]), 1e-5);  // sums of 81 products in another order
  const Value sharp =
      first("ImageSharpen",
            {{"image", image("one")}, {"sharpen_radius", integer(2)}, {"sigma", number(0.9)}, {"alpha", number(0.4)}});
  EXPECT_LT(difference(pixels(sharp), golden()["sharpen"]), 1e-5);
  EXPECT_THROW(first("ImageBlur", {{"image", image("two")}, {"blur_radius", integer(11)}}), NodeError);
}

TEST(ImageCrop, StaysWithinThePicture) {
  const auto cropped = [](int width, int height, int x, int y) {
    return pixels(first("ImageCrop", {{"image", image("one")},
                                      {"width", integer(width)},
                                      {"height", integer(height)},
                                      {"x", integer(x)},
                                      {"y", integer(y)}}))
        .sizes()
        .vec();
  };
  EXPECT_THAT(cropped(5, 6, 2, 3), ElementsAre(1, 6, 5, 3));
  EXPECT_THAT(cropped(50, 60, 20, 3), ElementsAre(1, 14, 3, 3));
  EXPECT_THAT(cropped(5, 5, 100, 100), ElementsAre(1, 1, 1, 3));
}

TEST(Masks, GoToPicturesAndBack) {
  const Value mask = first("ImageToMask", {{"image", image("one")}, {"channel", text("green")}});
  EXPECT_TRUE(identical(mask.as<Mask>().values, golden()["input/one"].select(3, 1)));
  const Value inverted = first("InvertMask", {{"mask", mask}});
  EXPECT_TRUE(identical(inverted.as<Mask>().values, 1.0 - mask.as<Mask>().values));
  const Value grey = first("MaskToImage", {{"mask", mask}});
  EXPECT_EQ(pixels(grey).sizes(), golden()["input/one"].sizes());
  EXPECT_TRUE(identical(pixels(grey).select(3, 2), mask.as<Mask>().values));
  EXPECT_TRUE(identical(pixels(first("ImageInvert", {{"image", image("one")}})), 1.0 - golden()["input/one"]));
  EXPECT_THROW(first("ImageToMask", {{"image", image("one")}, {"channel", text("alpha")}}), NodeError);
}

TEST(Primitives, HandTheirValueOn) {
  EXPECT_EQ(first("PrimitiveInt", {{"value", integer(-7)}}).as<std::int64_t>(), -7);
  EXPECT_EQ(first("PrimitiveFloat", {{"value", number(0.25)}}).as<double>(), 0.25);
  EXPECT_EQ(first("PrimitiveString", {{"value", text("a lighthouse")}}).as<std::string>(), "a lighthouse");
  EXPECT_EQ(first("PrimitiveBoolean", {{"value", value<bool>(true)}}).as<bool>(), true);
}

}  // namespace
}  // namespace refrain::testing
