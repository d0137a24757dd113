#pragma once
// Changes to what runs through a U-Net that need no weights: values on a model, applied in their order.
// Letters: N batch, C channels, h w sides of a feature, S skips.

#include <refrain/diffusion/resize.hpp>

#include <cstdint>
#include <limits>
#include <span>
#include <variant>
#include <vector>

namespace refrain::diffusion {

/// Strengthens the backbone and weakens the low frequencies of the skips where they meet, in the decoder units whose
/// backbone has 4 or 2 times the model's channels. FreeU: Free Lunch in Diffusion U-Net. Si, Huang, Jiang, Liu. CVPR
/// 2024, arXiv:2309.11497, eq. 4 to 7; as ComfyUI's comfy_extras/nodes_freelunch.py has both versions.
struct FreeU {
  enum class Version : std::uint8_t {
    first,   ///< the first half of the channels times b
    second,  ///< times 1 + (b - 1) * a, where a is the mean over the channels, stretched to 0..1 in each picture
  };
  Version version = Version::first;
  double b1 = 1.1, s1 = 0.9;  ///< backbone and skip factors at 4 times the model's channels
  double b2 = 1.2, s2 = 0.2;  ///< at 2 times
  friend bool operator==(const FreeU&, const FreeU&) = default;
};

/// Makes h smaller at one encoder unit, and as large again as its skip where the decoder needs it: for pictures larger
/// than those of the training. Kohya's Deep Shrink; as ComfyUI's comfy_extras/nodes_model_downscale.py has it.
struct Downscale {
  int unit = 3;                                      ///< the encoder unit whose output is made smaller, 1..S-1
  double factor = 2;                                 ///< sides are divided by it and rounded; below 1 they grow
  double from = std::numeric_limits<double>::max();  ///< it holds while the sampler's sigma is not above `from`
  double to = 0;                                     ///< and not below `to`
  bool after_skip = true;                            ///< the skip stays as it is
  Resampling down = Resampling::bicubic;
  Resampling up = Resampling::bicubic;
  bool holds_at(double sigma) const { return sigma <= from && sigma >= to; }
  friend bool operator==(const Downscale&, const Downscale&) = default;
};

using UNetPatch = std::variant<FreeU, Downscale>;

/// Which of the patches hold at a sigma of the sampler, in order.
std::vector<bool> in_force(std::span<const UNetPatch> patches, double sigma);

}  // namespace refrain::diffusion
