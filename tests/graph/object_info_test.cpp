#include "planning/object_info.hpp"

#include <gtest/gtest.h>

#include "graph/stub_nodes.hpp"

namespace refrain::test {
namespace {

std::string info(std::vector<std::string> names) { return object_info(stub_registry(), StubHost(), names); }

// The shape is that of ComfyUI 0.3.64's server.py, node_info().
TEST(ObjectInfo, DescribesTheSamplerAsComfyUiDoes) {
  EXPECT_EQ(
      info({"KSampler"}),
      R"({"KSampler":{"input":{"required":{"model":["MODEL",{"tooltip":"The model."}],)"
      R"("seed":["INT",{"default":0,"min":0,"max":18446744073709551615,"control_after_generate":true}],)"
      R"("steps":["INT",{"default":20,"min":1,"max":10000}],)"
      R"("cfg":["FLOAT",{"default":8.0,"min":0.0,"max":100.0,"step":0.1,"round":0.01}],)"
      R"("sampler_name":[["euler","euler_ancestral","heun","dpmpp_2m","ddim"]],)"
      R"("scheduler":[["normal","karras","simple"]],)"
      R"("positive":["CONDITIONING"],"negative":["CONDITIONING"],"latent_image":["LATENT"],)"
      R"("denoise":["FLOAT",{"default":1.0,"min":0.0,"max":1.0,"step":0.01}]}},)"
      R"("input_order":{"required":["model","seed","steps","cfg","sampler_name","scheduler","positive","negative",)"
      R"("latent_image","denoise"]},)"
      R"("output":["LATENT"],"output_is_list":[false],"output_name":["LATENT"],"name":"KSampler",)"
      R"("display_name":"KSampler","description":"Denoises a latent.","python_module":"refrain.stubs",)"
      R"("category":"sampling","output_node":false,"output_tooltips":["The denoised latent."]}})");
}

TEST(ObjectInfo, ListsHiddenInputsUnderTheNamesThatComfyUiUses) {
  EXPECT_EQ(
      info({"SaveImage"}),
      R"({"SaveImage":{"input":{"required":{"images":["IMAGE"],"filename_prefix":["STRING",{"default":"ComfyUI"}]},)"
      R"("hidden":{"prompt":"PROMPT","extra_pnginfo":"EXTRA_PNGINFO"}},)"
      R"("input_order":{"required":["images","filename_prefix"],"hidden":["prompt","extra_pnginfo"]},)"
      R"("output":[],"output_is_list":[],"output_name":[],"name":"SaveImage","display_name":"SaveImage",)"
      R"("description":"","python_module":"refrain.stubs","category":"image","output_node":true}})");
}

TEST(ObjectInfo, ListsFilesLazyInputsAndOptionalOnes) {
  EXPECT_NE(info({"CheckpointLoaderSimple"}).find(R"("ckpt_name":[["sd15.safetensors","v1-5-pruned-emaonly.ckpt"]])"),
            std::string::npos);
  EXPECT_NE(info({"Switch"}).find(R"("on_true":["*",{"lazy":true}])"), std::string::npos);
  EXPECT_NE(info({"Blend"}).find(R"("optional":{"mask":["MASK"])"), std::string::npos);
  EXPECT_NE(info({"CLIPTextEncode"}).find(R"("text":["STRING",{"default":"","multiline":true,"tooltip":)"),
            std::string::npos);
}

TEST(ObjectInfo, LeavesOutUnknownNames) { EXPECT_EQ(info({"Nobody"}), "{}"); }

}  // namespace
}  // namespace refrain::test
