#include "small_model.hpp"

#include "families/ddpm.hpp"
#include "families/ldm4g.hpp"
#include "families/sd1.hpp"

namespace refrain::diffusion::testing {

std::filesystem::path small_checkpoint() { return REFRAIN_TEST_CHECKPOINT; }

std::shared_ptr<const WeightSource> small_source() { return open_safetensors(small_checkpoint()); }

std::filesystem::path small_checkpoint(const std::string& family) {
  return small_checkpoint().parent_path() / ("small_" + family + ".safetensors");
}

std::unique_ptr<const UNet> small_unet_of(const std::string& family, at::ScalarType dtype) {
  const auto source = open_safetensors(small_checkpoint(family));
  const Placement placement{at::kCPU, dtype};
  if (family == "ldm4g") {
    return std::make_unique<const UNet>(ldm4g::read_sizes(*source).unet, Weights(source, placement, kUNetPrefix));
  }
  if (family == "sd1-inpainting") {
    return std::make_unique<const UNet>(sd1::read_sizes(*source).unet, Weights(source, placement, kUNetPrefix));
  }
  return std::make_unique<const UNet>(ddpm::read_sizes(*source).unet, Weights(source, placement));
}

std::unique_ptr<const UNet> small_unet(at::ScalarType dtype) {
  const auto source = small_source();
  return std::make_unique<const UNet>(sd1::read_sizes(*source).unet,
                                      Weights(source, {at::kCPU, dtype}, sd1::kUNetPrefix));
}

std::unique_ptr<const ClipTextModel> small_clip() {
  const auto source = small_source();
  const sd1::Sizes sizes = sd1::read_sizes(*source);
  return std::make_unique<const ClipTextModel>(sizes.clip, Weights(source, {}, sizes.clip_prefix));
}

std::unique_ptr<const AutoencoderVQ> small_vq_autoencoder() {
  const auto source = open_safetensors(small_checkpoint("ldm4g"));
  return std::make_unique<const AutoencoderVQ>(ldm4g::read_sizes(*source).autoencoder,
                                               Weights(source, {}, kAutoencoderPrefix));
}

std::unique_ptr<const AutoencoderKL> small_autoencoder(at::ScalarType dtype) {
  const auto source = small_source();
  return std::make_unique<const AutoencoderKL>(sd1::read_sizes(*source).autoencoder,
                                               Weights(source, {at::kCPU, dtype}, sd1::kAutoencoderPrefix));
}

}  // namespace refrain::diffusion::testing
