#include "models/patch_hooks.hpp"

#include "models/free_u.hpp"

#include <algorithm>
#include <cmath>

namespace refrain::diffusion {
namespace {

/// In float32, as some ways of resizing want it; back in h's type and form.
at::Tensor resized_feature(const at::Tensor& h, std::int64_t height, std::int64_t width, Resampling method) {
  return resized(h.to(at::kFloat), width, height, method)
      .to(h.scalar_type())
      .contiguous(at::MemoryFormat::ChannelsLast);
}

}  // namespace

std::int64_t downscaled(std::int64_t side, double factor) {
  return static_cast<std::int64_t>(std::nearbyint(static_cast<double>(side) * (1.0 / factor)));
}

std::vector<bool> in_force(std::span<const UNetPatch> patches, double sigma) {
  std::vector<bool> holds;
  for (const UNetPatch& patch : patches) {
    const auto* downscale = std::get_if<Downscale>(&patch);
    holds.push_back(downscale == nullptr || downscale->holds_at(sigma));
  }
  return holds;
}

const Downscale* PatchHooks::holding(const UNetPatch& patch, int unit, bool after_skip) const {
  const auto* downscale = std::get_if<Downscale>(&patch);
  const bool here = downscale != nullptr && downscale->unit == unit && downscale->after_skip == after_skip;
  return here && downscale->holds_at(sigma_) ? downscale : nullptr;
}

at::Tensor PatchHooks::scaled(at::Tensor h, int unit, bool after_skip) const {
  for (const UNetPatch& patch : patches_) {
    if (const Downscale* found = holding(patch, unit, after_skip)) {
      h = resized_feature(h, downscaled(h.size(2), found->factor), downscaled(h.size(3), found->factor), found->down);
    }
  }
  return h;
}

std::pair<std::int64_t, std::int64_t> PatchHooks::scaled(std::pair<std::int64_t, std::int64_t> sides, int unit,
                                                         bool after_skip) const {
  for (const UNetPatch& patch : patches_) {
    if (const Downscale* found = holding(patch, unit, after_skip)) {
      sides = {downscaled(sides.first, found->factor), downscaled(sides.second, found->factor)};
    }
  }
  return sides;
}

bool PatchHooks::resize() const {
  return std::ranges::any_of(patches_, [](const UNetPatch& patch) { return std::holds_alternative<Downscale>(patch); });
}

std::pair<at::Tensor, at::Tensor> PatchHooks::before_joining(at::Tensor h, at::Tensor skip) const {
  for (const UNetPatch& patch : patches_) {
    if (const auto* downscale = std::get_if<Downscale>(&patch)) {
      // Whether it holds or not: the first in the list makes up for all.
      if (h.size(2) != skip.size(2) || h.size(3) != skip.size(3)) {
        h = resized_feature(h, skip.size(2), skip.size(3), downscale->up);
      }
      continue;
    }
    const auto& free_u = std::get<FreeU>(patch);
    const bool wide = h.size(1) == 4L * model_channels_;
    if (!wide && h.size(1) != 2L * model_channels_) continue;
    h = with_backbone_scaled(h, free_u.version, wide ? free_u.b1 : free_u.b2);
    skip = with_low_frequencies_scaled(skip, wide ? free_u.s1 : free_u.s2);
  }
  return {std::move(h), std::move(skip)};
}

}  // namespace refrain::diffusion
