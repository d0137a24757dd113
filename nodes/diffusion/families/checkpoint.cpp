// Opening a single-file checkpoint: recognise the family, read its sizes, build the three parts.

#include "families/ddpm.hpp"
#include "families/layout.hpp"
#include "families/ldm4g.hpp"
#include "families/sd1.hpp"
#include "families/shapes.hpp"
#include "families/vocabulary.hpp"

#include <refrain/diffusion/error.hpp>
#include <refrain/diffusion/model.hpp>
#include <refrain/diffusion/text.hpp>

#include <array>
#include <memory>
#include <utility>

namespace refrain::diffusion {
namespace {

std::shared_ptr<const Model> make_model(const sd1::Sizes& sizes, const std::shared_ptr<const WeightSource>& source,
                                        const Placement& placement) {
  Model model;
  model.family = sd1::kFamily;
  model.unet = std::make_shared<const UNet>(sizes.unet, Weights(source, placement, sd1::kUNetPrefix));
  model.schedule = std::make_shared<const NoiseSchedule>(NoiseSchedule::scaled_linear());
  model.placement = placement;
  model.latent_channels = sizes.unet.out_channels;  // inpainting models take further ones
  model.latent_scale = sd1::kLatentScale;
  model.sample_size = sizes.sample_size;
  model.weight_bytes = bytes_below(*source, sd1::kUNetPrefix, placement.dtype);
  return std::make_shared<const Model>(std::move(model));
}

/// ComfyUI holds a text encoder in float16 and computes in float32, on every device (comfy/model_management.py,
/// text_encoder_dtype; comfy/sd1_clip.py).
std::shared_ptr<const Clip> make_clip(const sd1::Sizes& sizes, const std::shared_ptr<const WeightSource>& source,
                                      const LoadOptions& options) {
  const Weights weights(rounded_to_half(source), {options.placement.device, at::kFloat}, sizes.clip_prefix);
  return std::make_shared<const Clip>(Clip{std::make_shared<const ClipTextModel>(sizes.clip, weights),
                                           open_tokenizer(*source, sizes.clip.vocabulary, options.vocabulary),
                                           bytes_below(*source, sizes.clip_prefix, at::kFloat)});
}

std::shared_ptr<const Vae> make_vae(const sd1::Sizes& sizes, const std::shared_ptr<const WeightSource>& source,
                                    const LoadOptions& options) {
  const Placement placement{options.placement.device, options.autoencoder_dtype};
  return std::make_shared<const Vae>(
      Vae{std::make_shared<const AutoencoderKL>(sizes.autoencoder, Weights(source, placement, sd1::kAutoencoderPrefix)),
          bytes_below(*source, sd1::kAutoencoderPrefix, placement.dtype)});
}

Checkpoint load_sd1(const std::shared_ptr<const WeightSource>& source, const LoadOptions& options) {
  const sd1::Sizes sizes = sd1::read_sizes(*source);
  source->read_ahead();
  // The small part first: a missing vocabulary is told before gigabytes are packed.
  Checkpoint checkpoint;
  checkpoint.clip = make_clip(sizes, source, options);
  checkpoint.model = make_model(sizes, source, options.placement);
  checkpoint.vae = make_vae(sizes, source, options);
  return checkpoint;
}

struct Family {
  bool (*recognise)(const WeightSource& source);
  Checkpoint (*load)(const std::shared_ptr<const WeightSource>& source, const LoadOptions& options);
};

constexpr std::array kFamilies{Family{sd1::recognise, load_sd1}, Family{ldm4g::recognise, ldm4g::load},
                               Family{ddpm::recognise, ddpm::load}};

}  // namespace

Checkpoint load_checkpoint(const std::filesystem::path& file, const LoadOptions& options) {
  const std::shared_ptr<const WeightSource> source = open_weights(file, options.weights);
  for (const Family& family : kFamilies) {
    if (family.recognise(*source)) return family.load(source, options);
  }
  throw ModelError("unknown_model_family", source->name() +
                                               " is not a checkpoint of a supported family (SD 1.x, LDM-4-G, DDPM): "
                                               "it looks like " +
                                               describe_layout(*source));
}

}  // namespace refrain::diffusion
