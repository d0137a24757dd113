// refrain-make-checkpoint: writes a checkpoint with a family's layout and random weights, the same on every machine.
// For tests, benchmarks and trying things out: what it draws is noise. The weights' formula: random_weights.hpp.

#include "family_layouts.hpp"
#include "random_weights.hpp"

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

struct Arguments {
  std::string family = "sd1";
  std::string size = "small";
  at::ScalarType dtype = at::kHalf;
  std::uint64_t seed = 0;
  std::string output;
};

void write_checkpoint(const Arguments& arguments) {
  CheckpointPlan plan = plan_checkpoint(arguments.family, arguments.size == "full");
  SafetensorsWriter::Tensors tensors;
  for (const auto& [name, shape] : plan.layout) tensors[name] = {arguments.dtype, shape};
  if (plan.text_positions > 0) tensors[kPositionIds] = {at::kLong, {1, plan.text_positions}};
  plan.metadata["format"] = "pt";
  plan.metadata["refrain.random_seed"] = std::to_string(arguments.seed);
  SafetensorsWriter writer(arguments.output, tensors, plan.metadata);
  for (const auto& [name, shape] : plan.layout) {
    writer.write(name, random_weight(name, shape, arguments.dtype, arguments.seed));
  }
  if (plan.text_positions > 0) writer.write(kPositionIds, at::arange(plan.text_positions, at::kLong).unsqueeze(0));
  writer.commit();
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "Writes a checkpoint with a family's layout and random weights, the same on every machine.\n"
      "Example: refrain-make-checkpoint --size small --output models/checkpoints/small.safetensors"};
  Arguments arguments;
  const std::map<std::string, at::ScalarType> dtypes{
      {"fp16", at::kHalf}, {"bf16", at::kBFloat16}, {"fp32", at::kFloat}};
  app.add_option("--family", arguments.family, "sd1, sd1-inpainting, ldm4g, ddpm (LSUN) or ddpm-cifar")
      ->check(CLI::IsMember(checkpoint_families()))
      ->capture_default_str();
  app.add_option("--size", arguments.size, "full: the published sizes (SD 1.5: 1.07 G weights); small: 30 M or less")
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
