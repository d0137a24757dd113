#include "family_layouts.hpp"

#include <refrain/diffusion/error.hpp>

namespace refrain::diffusion {
namespace {

// Small sizes have 64 channels, not 32: with one channel in a norm's group the time embedding would cancel.
constexpr int kSmallWidth = 64;

CheckpointPlan plan_sd1(bool full, bool inpainting) {
  UNetConfig unet;
  ClipTextConfig clip;
  AutoencoderConfig autoencoder;
  if (inpainting) unet.in_channels = 9;
  if (!full) {
    unet.model_channels = kSmallWidth;
    // Inpainting's widths stand in the proportions of the published ones, which FreeU looks for.
    unet.channel_mult = inpainting ? std::vector<int>{1, 2, 4, 4} : std::vector<int>{1, 2, 3, 3};
    unet.context_dim = 64;
    clip.width = 64;
    clip.layers = 3;
    clip.heads = 4;
    autoencoder.channels = 32;
  }
  return {sd1_layout(unet, clip, autoencoder),
          {{"refrain.unet.heads", std::to_string(unet.heads)}, {"refrain.clip.heads", std::to_string(clip.heads)}},
          clip.positions};
}

CheckpointPlan plan_ldm4g(bool full) {
  UNetConfig unet;
  unet.in_channels = unet.out_channels = 3;
  unet.model_channels = full ? 192 : kSmallWidth;
  unet.channel_mult = full ? std::vector<int>{1, 2, 3, 5} : std::vector<int>{1, 2, 2, 3};
  unet.transformer_depth = {0, 1, 1, 1};
  unet.heads = 1;
  unet.context_dim = full ? 512 : 64;
  AutoencoderConfig autoencoder;
  autoencoder.channels = full ? 128 : 32;
  autoencoder.channel_mult = {1, 2, 4};
  autoencoder.latent_channels = autoencoder.embed_channels = 3;
  autoencoder.codebook = full ? 8192 : 256;
  CheckpointPlan plan;
  const LayoutWriter writer(plan.layout);
  write_unet(writer, "model.diffusion_model", unet);
  write_autoencoder(writer, "first_stage_model", autoencoder);
  writer.tensor("cond_stage_model.embedding.weight", {1001, unet.context_dim});
  plan.metadata = {{"refrain.unet.heads", "1"}, {"refrain.unet.sample_size", full ? "64" : "16"}};
  return plan;
}

/// LSUN at 256 x 256: attention at the fifth of six levels; CIFAR-10 at 32 x 32: at the second of four.
CheckpointPlan plan_ddpm(bool full, bool lsun) {
  UNetConfig unet;
  unet.style = UNetStyle::ddpm;
  unet.in_channels = unet.out_channels = 3;
  unet.model_channels = full ? 128 : kSmallWidth;
  unet.channel_mult = lsun ? std::vector<int>{1, 1, 2, 2, 4, 4} : std::vector<int>{1, 2, 2, 2};
  if (!full) unet.channel_mult = lsun ? std::vector<int>{1, 1, 1, 1, 2, 2} : std::vector<int>{1, 2, 2, 2};
  unet.transformer_depth = lsun ? std::vector<int>{0, 0, 0, 0, 1, 0} : std::vector<int>{0, 1, 0, 0};
  unet.context_dim = 0;
  CheckpointPlan plan;
  write_unet(LayoutWriter(plan.layout), "", unet);
  const char* const small_size = lsun ? "64" : "16";
  plan.metadata = {{"refrain.unet.sample_size", full ? (lsun ? "256" : "32") : small_size}};
  return plan;
}

}  // namespace

Layout sd1_layout(const UNetConfig& unet, const ClipTextConfig& clip, const AutoencoderConfig& autoencoder) {
  Layout layout;
  const LayoutWriter writer(layout);
  write_unet(writer, "model.diffusion_model", unet);
  write_clip_text(writer, "cond_stage_model.transformer.text_model", clip);
  write_autoencoder(writer, "first_stage_model", autoencoder);
  return layout;
}

const std::vector<std::string>& checkpoint_families() {
  static const std::vector<std::string> families{"sd1", "sd1-inpainting", "ldm4g", "ddpm", "ddpm-cifar"};
  return families;
}

CheckpointPlan plan_checkpoint(const std::string& family, bool full) {
  if (family == "sd1" || family == "sd1-inpainting") return plan_sd1(full, family != "sd1");
  if (family == "ldm4g") return plan_ldm4g(full);
  if (family == "ddpm" || family == "ddpm-cifar") return plan_ddpm(full, family == "ddpm");
  throw ModelError("unknown_model_family", "there is no family \"" + family + "\"");
}

}  // namespace refrain::diffusion
