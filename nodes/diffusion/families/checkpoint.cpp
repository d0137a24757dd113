// Opening a single-file checkpoint: recognise the family, read its sizes, build the three parts.

#include "families/ddpm.hpp"
#include "families/layout.hpp"
#include "families/ldm4g.hpp"
#include "families/sd1.hpp"
#include "families/sd1_parts.hpp"

#include <refrain/diffusion/error.hpp>
#include <refrain/diffusion/model.hpp>

#include <array>
#include <memory>
#include <utility>

namespace refrain::diffusion {
namespace {

Checkpoint load_sd1(const std::shared_ptr<const WeightSource>& source, const LoadOptions& options) {
  const sd1::Sizes sizes = sd1::read_sizes(*source);
  // The small part first: a missing vocabulary is told before gigabytes are packed.
  Checkpoint checkpoint;
  checkpoint.clip = sd1::make_clip(sizes.clip, sizes.clip_prefix, source, options);
  checkpoint.model = sd1::make_model(sizes.unet, sizes.sample_size, source, options.placement);
  checkpoint.vae = sd1::make_vae(sizes.autoencoder, source, options);
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
    if (!family.recognise(*source)) continue;
    source->read_ahead();
    return family.load(source, options);
  }
  throw ModelError("unknown_model_family", source->name() +
                                               " is not a checkpoint of a supported family (SD 1.x, LDM-4-G, DDPM): "
                                               "it looks like " +
                                               describe_layout(*source));
}

}  // namespace refrain::diffusion
