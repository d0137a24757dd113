#include "models/upsample.hpp"

#include <ATen/ops/upsample_nearest2d.h>

namespace refrain::diffusion {

at::Tensor Upsample::operator()(const at::Tensor& x, std::int64_t height, std::int64_t width) const {
  return conv_(at::upsample_nearest2d(x, {height, width}));
}

}  // namespace refrain::diffusion
