// refrain-make-checkpoint: writes a checkpoint with the layout of SD 1.x and random weights, the same on every machine.
// For tests, benchmarks and trying things out: what it draws is noise. The weights' formula: random_weights.hpp.

#include "random_weights.hpp"
#include "sd1_layout.hpp"

#include <ATen/ops/arange.h>
#include <refrain/diffusion/error.hpp>
#include <refrain/diffusion/safetensors_writer.hpp>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <exception>
#include <iostream>
#include <map>
#include <string>
#include <utility>

namespace {

using namespace refrain::diffusion;

constexpr const char* kPositionIds = "cond_stage_model.transformer.text_model.embeddings.position_ids";

struct Sizes {
  UNetConfig unet;
  ClipTextConfig clip;
  AutoencoderConfig autoencoder;
};

/// The layout of SD 1.x at about a thirtieth of its size. 64 channels, not 32: with one channel in a norm's group the
/// time embedding would cancel.
Sizes small_sizes() {
  Sizes sizes;
  sizes.unet.model_channels = 64;
  sizes.unet.channel_mult = {1, 2, 3, 3};
  sizes.unet.heads = 8;
  sizes.unet.context_dim = 64;
  sizes.clip.width = 64;
  sizes.clip.layers = 3;
  sizes.clip.heads = 4;
  sizes.autoencoder.channels = 32;
  return sizes;
}

struct Arguments {
  std::string size = "small";
  at::ScalarType dtype = at::kHalf;
  std::uint64_t seed = 0;
  std::string output;
};

void write_checkpoint(const Arguments& arguments) {
  const Sizes sizes = arguments.size == "full" ? Sizes{} : small_sizes();
  const Layout layout = sd1_layout(sizes.unet, sizes.clip, sizes.autoencoder);
  SafetensorsWriter::Tensors tensors;
  for (const auto& [name, shape] : layout) tensors[name] = {arguments.dtype, shape};
  tensors[kPositionIds] = {at::kLong, {1, sizes.clip.positions}};
  // Heads can't be read from shapes (families/sd1.hpp).
  const SafetensorsWriter::Metadata metadata{{"format", "pt"},
                                             {"refrain.unet.heads", std::to_string(sizes.unet.heads)},
                                             {"refrain.clip.heads", std::to_string(sizes.clip.heads)},
                                             {"refrain.random_seed", std::to_string(arguments.seed)}};
  SafetensorsWriter writer(arguments.output, tensors, metadata);
  for (const auto& [name, shape] : layout) {
    writer.write(name, random_weight(name, shape, arguments.dtype, arguments.seed));
  }
  writer.write(kPositionIds, at::arange(sizes.clip.positions, at::kLong).unsqueeze(0));
  writer.commit();
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "Writes a checkpoint with the layout of SD 1.x and random weights, the same on every machine.\n"
      "Example: refrain-make-checkpoint --size small --output models/checkpoints/small.safetensors"};
  Arguments arguments;
  const std::map<std::string, at::ScalarType> dtypes{
      {"fp16", at::kHalf}, {"bf16", at::kBFloat16}, {"fp32", at::kFloat}};
  app.add_option("--size", arguments.size, "full: SD 1.5's own sizes, 1.07 G weights; small: 30 M")
      ->check(CLI::IsMember({"full", "small"}))
      ->capture_default_str();
  app.add_option("--dtype", arguments.dtype, "fp16 (default), bf16 or fp32")->transform(CLI::Transformer(dtypes));
  app.add_option("--seed", arguments.seed, "another seed, other weights")->capture_default_str();
  app.add_option("--output,-o", arguments.output, "the file to write")->required();
  CLI11_PARSE(app, argc, argv);
  try {
    write_checkpoint(arguments);
  } catch (const std::exception& error) {
    std::cerr << "refrain-make-checkpoint: " << error.what() << '\n';
    return 1;
  }
  return 0;
}
