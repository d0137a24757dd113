#include "pixels.hpp"

#include <refrain/errors.hpp>

#include <refrain/diffusion/resize.hpp>

#include <fmt/format.h>

namespace refrain {

Cut::Cut(std::int64_t whole_height, std::int64_t whole_width, std::int64_t unit)
    : y((whole_height % unit) / 2),
      x((whole_width % unit) / 2),
      height(whole_height / unit * unit),
      width(whole_width / unit * unit) {
  if (height < 1 || width < 1) {
    throw NodeError("picture_too_small", fmt::format("a picture of {} x {} pixels is too small: a cell of the latent "
                                                     "covers {} x {}",
                                                     whole_width, whole_height, unit, unit));
  }
}

at::Tensor Cut::of(const at::Tensor& tensor, int row_axis) const {
  return tensor.narrow(row_axis, y, height).narrow(row_axis + 1, x, width);
}

at::Tensor encoder_input(const diffusion::Vae& vae, const at::Tensor& pixels) {
  if (pixels.dim() != 4 || pixels.size(3) < 3) {
    throw NodeError("bad_picture", "the autoencoder takes pictures of three channels, red, green and blue");
  }
  const Cut cut(pixels.size(1), pixels.size(2), vae.autoencoder->downscale());
  return cut.of(pixels.narrow(3, 0, 3), 1).permute({0, 3, 1, 2}) * 2.0 - 1.0;
}

Latent encoded(const diffusion::Vae& vae, const at::Tensor& pixels) {
  return {vae.autoencoder->encode(encoder_input(vae, pixels)).to(at::kCPU, at::kFloat), {}, {}};
}

at::Tensor mask_for(const at::Tensor& mask, std::int64_t height, std::int64_t width) {
  const at::Tensor values = mask.to(at::kFloat).reshape({-1, 1, mask.size(-2), mask.size(-1)});
  return diffusion::resized(values, width, height, diffusion::Resampling::bilinear);
}

at::Tensor greyed(const at::Tensor& pixels, const at::Tensor& mask) {
  const at::Tensor kept = (1.0 - mask.round()).permute({0, 2, 3, 1});  // [M, H, W, 1]
  return (pixels.narrow(3, 0, 3) - 0.5) * kept + 0.5;
}

}  // namespace refrain
