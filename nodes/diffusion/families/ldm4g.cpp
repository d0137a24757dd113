#include "families/ldm4g.hpp"

#include "families/ldm_sizes.hpp"
#include "families/metadata.hpp"
#include "families/shapes.hpp"

#include <refrain/diffusion/error.hpp>

#include <string>
#include <utility>

namespace refrain::diffusion::ldm4g {
namespace {

constexpr const char* kClasses = "cond_stage_model.embedding";
constexpr const char* kCodebook = "quantize.embedding.weight";
constexpr int kHeads = 1;
constexpr int kSampleSize = 64;

}  // namespace

bool recognise(const WeightSource& source) {
  const Shapes autoencoder(source, std::string(kAutoencoderPrefix) + ".");
  const Shapes classes(source, std::string(kClasses) + ".");
  const Shapes unet(source, std::string(kUNetPrefix) + ".");
  return autoencoder.rank(kCodebook) == 2 && classes.rank("weight") == 2 && unet.rank("input_blocks.0.0.weight") == 4;
}

Sizes read_sizes(const WeightSource& source) {
  Sizes sizes;
  sizes.unet = read_ldm_unet(source, kHeads);
  sizes.unet.resnet_norms_counted = false;
  sizes.autoencoder = read_ldm_autoencoder(source);
  sizes.autoencoder.codebook = Shapes(source, std::string(kAutoencoderPrefix) + ".").size(kCodebook, 0);
  const Shapes classes(source, std::string(kClasses) + ".");
  sizes.classes = classes.size("weight", 0);
  sizes.sample_size = number_in_metadata(source, "refrain.unet.sample_size").value_or(kSampleSize);
  if (sizes.unet.context_dim != classes.size("weight", 1)) {
    throw ModelError("model_config", source.name() + ": the U-Net wants classes of width " +
                                         std::to_string(sizes.unet.context_dim) + ", the class table gives " +
                                         std::to_string(classes.size("weight", 1)) + "; the file mixes two models");
  }
  return sizes;
}

Checkpoint load(const std::shared_ptr<const WeightSource>& source, const LoadOptions& options) {
  const Sizes sizes = read_sizes(*source);
  Model model;
  model.family = kFamily;
  model.unet = std::make_shared<const UNet>(sizes.unet, Weights(source, options.placement, kUNetPrefix));
  model.noise_law = kNoiseLaw;
  model.schedule = std::make_shared<const NoiseSchedule>(
      NoiseSchedule::scaled_linear(kNoiseLaw.first, kNoiseLaw.last, kNoiseLaw.steps));
  model.placement = options.placement;
  model.latent_channels = sizes.unet.in_channels;
  model.latent_scale = kLatentScale;
  model.sample_size = sizes.sample_size;
  model.class_embedding =
      Weights(source, {}, kClasses).raw("weight", {sizes.classes, sizes.unet.context_dim}).to(at::kFloat).clone();
  model.weight_bytes = bytes_below(*source, kUNetPrefix, options.placement.dtype);

  const Placement placement{options.placement.device, options.autoencoder_dtype};
  Vae vae{std::make_shared<const AutoencoderVQ>(sizes.autoencoder, Weights(source, placement, kAutoencoderPrefix)),
          bytes_below(*source, kAutoencoderPrefix, placement.dtype)};
  return {std::make_shared<const Model>(std::move(model)), std::make_shared<const Clip>(),
          std::make_shared<const Vae>(std::move(vae))};
}

}  // namespace refrain::diffusion::ldm4g
