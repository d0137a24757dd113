#pragma once
// The parts of the autoencoder: CompVis stable-diffusion, ldm/modules/diffusionmodules/model.py.
// Letters: N batch, C channels, h w sides.

#include "models/downsample.hpp"
#include "models/place_attention.hpp"
#include "models/resnet_block.hpp"
#include "models/upsample.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace refrain::diffusion {

/// The deepest part: two resnets around attention.
class AutoencoderMiddle {
 public:
  AutoencoderMiddle(const Weights& weights, int width);
  at::Tensor operator()(const at::Tensor& x) const;  ///< [N, C, h, w] -> the same

 private:
  ResnetBlock first_;
  PlaceAttention attention_;
  ResnetBlock second_;
};

/// Resnets at one resolution, then the way to the next.
class AutoencoderLevel {
 public:
  struct Sizes {
    int in = 0;
    int out = 0;
    int blocks = 0;
  };
  enum class Way : std::uint8_t { stay, down, up };

  AutoencoderLevel(const Weights& weights, const Sizes& sizes, Way way);
  at::Tensor operator()(at::Tensor x) const;

 private:
  std::vector<ResnetBlock> blocks_;
  std::optional<Downsample> downsample_;
  std::optional<Upsample> upsample_;
};

}  // namespace refrain::diffusion
