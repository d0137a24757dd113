#pragma once
// Where patches take hold of a U-Net's evaluation. Order and places: comfy/ldm/modules/diffusionmodules/openaimodel.py.

#include <ATen/core/Tensor.h>
#include <refrain/diffusion/unet_patches.hpp>

#include <cstdint>
#include <span>
#include <utility>

namespace refrain::diffusion {

/// A side of h after a Downscale by `factor`: divided and rounded, halves to the even number.
std::int64_t downscaled(std::int64_t side, double factor);

/// Patches at one noise level. Refers to `patches`.
class PatchHooks {
 public:
  /// `model_channels`: the U-Net's own.
  PatchHooks(std::span<const UNetPatch> patches, double sigma, int model_channels)
      : patches_(patches), sigma_(sigma), model_channels_(model_channels) {}

  /// Output h of an encoder unit [N, C, h, w], before it becomes a skip.
  at::Tensor before_skip(const at::Tensor& h, int unit) const { return scaled(h, unit, false); }
  /// The same, on its way into the next unit.
  at::Tensor after_skip(const at::Tensor& h, int unit) const { return scaled(h, unit, true); }
  /// What a decoder unit joins: h and the skip, changed. Never in place: both may be kept by a cache.
  std::pair<at::Tensor, at::Tensor> before_joining(at::Tensor h, at::Tensor skip) const;

  /// The sides alone, for counting.
  std::pair<std::int64_t, std::int64_t> before_skip(std::pair<std::int64_t, std::int64_t> sides, int unit) const {
    return scaled(sides, unit, false);
  }
  std::pair<std::int64_t, std::int64_t> after_skip(std::pair<std::int64_t, std::int64_t> sides, int unit) const {
    return scaled(sides, unit, true);
  }
  /// Whether h may be of another size than the skip that it meets.
  bool resize() const;

 private:
  at::Tensor scaled(at::Tensor h, int unit, bool after_skip) const;
  std::pair<std::int64_t, std::int64_t> scaled(std::pair<std::int64_t, std::int64_t> sides, int unit,
                                               bool after_skip) const;
  const Downscale* holding(const UNetPatch& patch, int unit, bool after_skip) const;

  std::span<const UNetPatch> patches_;
  double sigma_;
  int model_channels_;
};

}  // namespace refrain::diffusion
