#pragma once
// Conditions made ready for a run over a latent of known size. Follows comfy/samplers.py (process_conds,
// get_area_and_mult) and comfy/model_base.py (concat_cond).

#include <refrain/diffusion/sampling.hpp>

#include <limits>
#include <optional>
#include <vector>

namespace refrain::diffusion {

/// A rectangle of cells.
struct Rectangle {
  std::int64_t height = 0, width = 0, y = 0, x = 0;
  friend bool operator==(const Rectangle&, const Rectangle&) = default;

  /// The part of [.., h, w] that it covers.
  at::Tensor of(const at::Tensor& tensor) const { return tensor.narrow(-2, y, height).narrow(-1, x, width); }
};

struct PreparedCondition {
  at::Tensor context;             ///< [B, T, D]
  at::Tensor further_channels;    ///< [N, c, h, w] that go to the network beside the latent; undefined: none
  std::optional<Rectangle> area;  ///< undefined: everywhere
  double strength = 1.0;          ///< of every cell, where `weight` is undefined
  at::Tensor weight;              ///< [1 or N, 1, h, w] of the area: strength cell by cell
  double start_sigma = std::numeric_limits<double>::infinity();
  double end_sigma = 0;

  bool holds_at(float sigma) const { return !(sigma > start_sigma) && !(sigma < end_sigma); }
};

struct PreparedConditions {
  std::vector<PreparedCondition> positive;
  std::vector<PreparedCondition> negative;
};

/// What the conditions mean for `latent` [N, C, h, w] (scaled, of a run with `noise_mask` [N, C, h, w] or none): areas
/// and masks in its cells, percents as sigmas. A condition with an area gets a partner on the other side, so that
/// guidance has two estimates there. Throws ShapeError for tokens that aren't [B, T, D] and for areas and masks that
/// don't fit.
PreparedConditions prepare_conditions(const Model& model, const std::vector<Condition>& positive,
                                      const std::vector<Condition>& negative, const at::Tensor& latent,
                                      const at::Tensor& noise_mask);

}  // namespace refrain::diffusion
