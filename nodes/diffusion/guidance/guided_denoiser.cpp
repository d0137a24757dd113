#include "guided_denoiser.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <refrain/diffusion/error.hpp>

#include <algorithm>
#include <cmath>

namespace refrain::diffusion {

namespace {

/// A mean by strength, in ComfyUI's order of sums.
struct Mean {
  at::Tensor sum;
  float strength = 1e-37F;  // so that strengths of 0 give 0, not a division by it

  void add(const at::Tensor& value, double weight) {
    const at::Tensor weighted = value * weight;
    sum = sum.defined() ? sum + weighted : weighted;
    strength += static_cast<float>(weight);
  }
  at::Tensor get() const { return sum / strength; }
};

/// Whether guidance changes nothing, by the measure of Python's math.isclose.
bool is_one(double cfg) { return std::abs(cfg - 1) <= 1e-9 * std::max(std::abs(cfg), 1.0); }

void check_not_empty(const std::vector<Condition>& conditions, const char* which) {
  if (conditions.empty()) {
    throw Error("empty_conditioning", std::string("the ") + which + " conditioning is empty: connect a prompt's");
  }
}

}  // namespace

GuidedDenoiser::GuidedDenoiser(const Model& model, const std::vector<Condition>& positive,
                               const std::vector<Condition>& negative, double cfg, std::int64_t pictures,
                               CachedDenoiser& network)
    : schedule_(model.schedule), placement_(model.placement), cfg_(cfg), guided_(!is_one(cfg)), network_(network) {
  check_not_empty(positive, "positive");
  if (guided_) check_not_empty(negative, "negative");
  batches_ = batch_conditions(positive, guided_ ? negative : std::vector<Condition>{}, pictures, placement_);
}

at::Tensor GuidedDenoiser::operator()(const at::Tensor& x, float sigma, Place place) const {
  const at::Tensor scaled = (x / std::sqrt(sigma * sigma + 1)).to(placement_.device, placement_.dtype);
  const float t = schedule_->timestep(sigma);
  std::vector<UNetInput> inputs;
  for (const ConditionBatch& batch : batches_) {
    const at::Tensor latent = scaled.repeat({batch.count(), 1, 1, 1});
    const at::Tensor timesteps = at::full({latent.size(0)}, t, latent.options().dtype(at::kFloat));
    inputs.push_back({latent, timesteps, batch.context});
  }
  const std::vector<at::Tensor> predictions = network_.evaluate(inputs, sigma, place);

  Mean positive, negative;
  for (std::size_t i = 0; i < batches_.size(); ++i) {
    const at::Tensor eps = predictions[i].to(x.device(), at::kFloat);
    for (std::size_t j = 0; j < batches_[i].entries.size(); ++j) {
      const auto [side, strength] = batches_[i].entries[j];
      const at::Tensor denoised = x - eps.narrow(0, static_cast<std::int64_t>(j) * x.size(0), x.size(0)) * sigma;
      (side == Side::positive ? positive : negative).add(denoised, strength);
    }
  }
  if (!guided_) return positive.get();
  const at::Tensor unconditional = negative.get();
  return unconditional + (positive.get() - unconditional) * cfg_;
}

}  // namespace refrain::diffusion
