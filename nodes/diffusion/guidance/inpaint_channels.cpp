#include "inpaint_channels.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <refrain/diffusion/error.hpp>
#include <refrain/diffusion/resize.hpp>

#include <algorithm>
#include <cmath>

namespace refrain::diffusion {

namespace {

constexpr std::int64_t kLatentChannels = 4;

/// x [M, ...] -> [N, ...]: single ones repeated or left out, evenly.
at::Tensor spread_over(const at::Tensor& x, std::int64_t count) {
  const std::int64_t have = x.size(0);
  if (have == count) return x;
  if (count <= 1) return x.narrow(0, 0, count);
  std::vector<at::Tensor> picked;
  for (std::int64_t i = 0; i < count; ++i) {
    const double at =
        count < have
            ? std::nearbyint(static_cast<double>(i) * static_cast<double>(have - 1) / static_cast<double>(count - 1))
            : std::floor((static_cast<double>(i) + 0.5) * static_cast<double>(have) / static_cast<double>(count));
    picked.push_back(x[std::min(static_cast<std::int64_t>(at), have - 1)]);
  }
  return at::stack(picked);
}

at::Tensor fitted(const at::Tensor& x, const at::Tensor& latent) {
  if (x.size(-2) == latent.size(2) && x.size(-1) == latent.size(3)) return x;
  return resized(x, latent.size(3), latent.size(2), Resampling::bilinear, true);
}

/// The scaled latent of a grey picture, [N, 4, h, w].
at::Tensor blank(const at::Tensor& latent) {
  const at::Tensor values = at::tensor({0.8223F, -0.6876F, 0.6364F, 0.1380F}, latent.options());
  return values.view({1, kLatentChannels, 1, 1}).expand(latent.sizes());
}

}  // namespace

at::Tensor inpaint_channels(const Model& model, const Condition& condition, const at::Tensor& latent,
                            const at::Tensor& noise_mask) {
  const std::int64_t further = model.unet ? model.unet->config().in_channels - model.latent_channels : 0;
  if (further == 0) return {};
  if (further != kLatentChannels + 1 || model.latent_channels != kLatentChannels) {
    throw ModelError("unknown_channels", "this model's U-Net takes " +
                                             std::to_string(model.unet->config().in_channels) +
                                             " channels; it is known what 4 and 9 of them mean");
  }
  const std::int64_t pictures = latent.size(0);
  at::Tensor mask = condition.inpaint_mask.defined() ? condition.inpaint_mask : noise_mask;
  if (!mask.defined()) {
    return at::cat({at::ones({pictures, 1, latent.size(2), latent.size(3)}, latent.options()), blank(latent)}, 1);
  }
  if (mask.dim() == 4) mask = mask.narrow(1, 0, 1);
  mask = mask.reshape({-1, 1, mask.size(-2), mask.size(-1)}).to(latent.options());
  mask = spread_over(fitted(mask, latent).round(), pictures);

  at::Tensor picture = latent;
  if (condition.inpaint_latent.defined()) picture = condition.inpaint_latent.to(latent.options()) * model.latent_scale;
  return at::cat({mask, spread_over(fitted(picture, latent), pictures)}, 1);
}

}  // namespace refrain::diffusion
