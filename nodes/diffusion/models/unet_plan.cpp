#include "models/unet_plan.hpp"

#include <refrain/diffusion/error.hpp>

#include <string>

namespace refrain::diffusion {
namespace {

constexpr int kNormGroups = 32;

void check(const UNetConfig& config) {
  const auto fail = [](const std::string& what) { throw ModelError("model_config", "U-Net: " + what); };
  if (config.channel_mult.empty() || config.channel_mult.size() != config.transformer_depth.size()) {
    fail("channel_mult and transformer_depth need one entry for each level");
  }
  if (config.res_blocks < 1) fail("res_blocks must be at least 1");
  if (config.style == UNetStyle::ddpm && config.middle_transformer_depth != 1) {
    fail("this kind of network has attention in its middle");
  }
  if (config.heads < 1 && config.head_channels < 1) fail("either heads or head_channels must be given");
  for (const int mult : config.channel_mult) {
    if (mult < 1 || config.model_channels < 1 || config.model_channels * mult % kNormGroups != 0) {
      fail("a width of " + std::to_string(config.model_channels) + " x " + std::to_string(mult) +
           " channels can't be normalised in " + std::to_string(kNormGroups) + " groups");
    }
  }
}

}  // namespace

UNetPlan plan_unet(const UNetConfig& config) {
  check(config);
  const int levels = static_cast<int>(config.channel_mult.size());
  UNetPlan plan;
  plan.time_channels = 4 * config.model_channels;
  int width = config.model_channels;
  plan.encoder.push_back({EncoderUnitPlan::Kind::conv_in, 0, config.in_channels, width, 0});
  for (int level = 0; level < levels; ++level) {
    const int out = config.model_channels * config.channel_mult[level];
    for (int block = 0; block < config.res_blocks; ++block) {
      plan.encoder.push_back({EncoderUnitPlan::Kind::resnet, level, width, out, config.transformer_depth[level]});
      width = out;
    }
    if (level + 1 < levels) plan.encoder.push_back({EncoderUnitPlan::Kind::downsample, level, width, width, 0});
  }
  plan.middle_channels = width;
  plan.middle_transformer_depth = config.middle_transformer_depth;
  int skip = plan.skips();
  for (int level = levels - 1; level >= 0; --level) {
    const int out = config.model_channels * config.channel_mult[level];
    for (int block = 0; block <= config.res_blocks; ++block) {
      const bool upsample = level > 0 && block == config.res_blocks;
      plan.decoder.push_back({level, width, plan.encoder[--skip].out, out, config.transformer_depth[level], upsample});
      width = out;
    }
  }
  name_parts(plan, config);
  return plan;
}

int heads_for(const UNetConfig& config, int channels) {
  const int heads = config.head_channels > 0 ? channels / config.head_channels : config.heads;
  if (heads < 1 || channels % heads != 0 || (config.head_channels > 0 && channels % config.head_channels != 0)) {
    throw ModelError("model_config", "U-Net: " + std::to_string(channels) + " channels can't be split into heads of " +
                                         (config.head_channels > 0 ? std::to_string(config.head_channels) + " channels"
                                                                   : "equal width (" + std::to_string(heads) + ")"));
  }
  return heads;
}

}  // namespace refrain::diffusion
