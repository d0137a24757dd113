// What the files call the parts of a U-Net.

#include "models/unet_plan.hpp"

#include <string>
#include <vector>

namespace refrain::diffusion {
namespace {

/// CompVis latent-diffusion, ldm/modules/diffusionmodules/openaimodel.py: numbered units, a place in each for every
/// part.
void name_ldm(UNetPlan& plan) {
  for (int n = 0; n < plan.skips(); ++n) {
    EncoderUnitPlan& unit = plan.encoder[n];
    const std::string block = "input_blocks." + std::to_string(n);
    if (unit.kind == EncoderUnitPlan::Kind::downsample) {
      unit.paths = {{}, {}, block + ".0.op"};
    } else {
      unit.paths = {block + ".0", unit.transformer_depth > 0 ? block + ".1" : "", {}};
    }
  }
  const bool attention = plan.middle_transformer_depth > 0;
  plan.middle_first = "middle_block.0";
  plan.middle_attention = attention ? "middle_block.1" : "";
  plan.middle_second = attention ? "middle_block.2" : "middle_block.1";
  for (int j = 0; j < plan.skips(); ++j) {
    DecoderUnitPlan& unit = plan.decoder[j];
    const std::string block = "output_blocks." + std::to_string(j);
    const bool transformer = unit.transformer_depth > 0;
    // The upsample's place follows from what stands before it: ".1" in output_blocks.2 of SD 1.x, ".2" in LDM-4-G's.
    const std::string upsample = block + (transformer ? ".2.conv" : ".1.conv");
    unit.paths = {block + ".0", transformer ? block + ".1" : "", unit.upsample ? upsample : ""};
  }
  plan.time_first = "time_embed.0";
  plan.time_second = "time_embed.2";
  plan.output_norm = "out.0";
  plan.output_conv = "out.2";
}

/// ermongroup ddim, models/diffusion.py: levels and blocks; in "up" the deepest level, which runs first, has the
/// highest number.
void name_ddpm(UNetPlan& plan) {
  int level = -1, block = 0;
  for (EncoderUnitPlan& unit : plan.encoder) {
    block = unit.level == level ? block + 1 : 0;
    level = unit.level;
    const std::string down = "down." + std::to_string(level);
    switch (unit.kind) {
      case EncoderUnitPlan::Kind::conv_in:
        unit.paths = {"conv_in", {}, {}};
        level = -1;
        break;
      case EncoderUnitPlan::Kind::downsample: unit.paths = {{}, {}, down + ".downsample.conv"}; break;
      case EncoderUnitPlan::Kind::resnet:
        const std::string number = std::to_string(block);
        unit.paths = {down + ".block." + number, unit.transformer_depth > 0 ? down + ".attn." + number : "", {}};
        break;
    }
  }
  plan.middle_first = "mid.block_1";
  plan.middle_attention = "mid.attn_1";
  plan.middle_second = "mid.block_2";
  level = -1;
  for (DecoderUnitPlan& unit : plan.decoder) {
    block = unit.level == level ? block + 1 : 0;
    level = unit.level;
    const std::string up = "up." + std::to_string(level), number = std::to_string(block);
    unit.paths = {up + ".block." + number, unit.transformer_depth > 0 ? up + ".attn." + number : "",
                  unit.upsample ? up + ".upsample.conv" : ""};
  }
  plan.time_first = "temb.dense.0";
  plan.time_second = "temb.dense.1";
  plan.output_norm = "norm_out";
  plan.output_conv = "conv_out";
}

}  // namespace

void name_parts(UNetPlan& plan, const UNetConfig& config) {
  config.style == UNetStyle::ldm ? name_ldm(plan) : name_ddpm(plan);
}

}  // namespace refrain::diffusion
