#include <refrain/diffusion/cached_denoiser.hpp>
#include <refrain/diffusion/error.hpp>

#include <utility>

namespace refrain::diffusion {

namespace {

class UNetNetwork final : public Network {
 public:
  explicit UNetNetwork(std::shared_ptr<const UNet> unet) : unet_(std::move(unet)) {}

  int skips() const override { return unet_->skips(); }

  UNetResult evaluate(const UNetInput& input, const UNetRequest& request) const override {
    return unet_->evaluate(input, request);
  }

  Macs macs(Evaluate evaluate, const UNetInput& input) const override {
    const at::Tensor& x = input.latent;
    const Macs one = unet_->macs(evaluate, static_cast<int>(x.size(2)), static_cast<int>(x.size(3)),
                                 static_cast<int>(input.context.size(1)), input.patches, input.sigma);
    return one * static_cast<double>(x.size(0));
  }

 private:
  std::shared_ptr<const UNet> unet_;
};

}  // namespace

Network::~Network() = default;

std::shared_ptr<const Network> make_network(std::shared_ptr<const UNet> unet) {
  if (!unet) throw ModelError("no_unet", "this MODEL has no U-Net: load a checkpoint that holds one");
  return std::make_shared<UNetNetwork>(std::move(unet));
}

}  // namespace refrain::diffusion
