#include "families/sd1_parts.hpp"

#include "families/sd1.hpp"
#include "families/shapes.hpp"
#include "families/vocabulary.hpp"

#include <utility>

namespace refrain::diffusion::sd1 {

std::shared_ptr<const Model> make_model(const UNetConfig& config, int sample_size,
                                        const std::shared_ptr<const WeightSource>& source, const Placement& placement) {
  Model model;
  model.family = kFamily;
  model.weights = std::make_shared<const Weights>(source, placement, kUNetPrefix);
  model.unet = std::make_shared<const UNet>(config, *model.weights);
  model.schedule = std::make_shared<const NoiseSchedule>(NoiseSchedule::scaled_linear());
  model.placement = placement;
  model.latent_channels = config.out_channels;  // inpainting models take further ones
  model.latent_scale = kLatentScale;
  model.sample_size = sample_size;
  model.weight_bytes = bytes_below(*source, kUNetPrefix, placement.dtype);
  return std::make_shared<const Model>(std::move(model));
}

std::shared_ptr<const Clip> make_clip(const ClipTextConfig& config, const std::string& prefix,
                                      const std::shared_ptr<const WeightSource>& source, const LoadOptions& options) {
  const Placement placement{options.placement.device, at::kFloat};
  Clip clip;
  clip.tokenizer = open_tokenizer(*source, config.vocabulary, options);
  clip.weights = std::make_shared<const Weights>(rounded_to_half(source), placement, prefix);
  clip.text_model = std::make_shared<const ClipTextModel>(config, *clip.weights);
  clip.weight_bytes = bytes_below(*source, prefix, at::kFloat);
  return std::make_shared<const Clip>(std::move(clip));
}

std::shared_ptr<const Vae> make_vae(const AutoencoderConfig& config, const std::shared_ptr<const WeightSource>& source,
                                    const LoadOptions& options) {
  const Placement placement{options.placement.device, options.autoencoder_dtype};
  return std::make_shared<const Vae>(
      Vae{std::make_shared<const AutoencoderKL>(config, Weights(source, placement, kAutoencoderPrefix)),
          bytes_below(*source, kAutoencoderPrefix, placement.dtype)});
}

}  // namespace refrain::diffusion::sd1
