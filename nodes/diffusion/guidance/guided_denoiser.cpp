#include "guided_denoiser.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/zeros_like.h>
#include <refrain/diffusion/error.hpp>

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

#include "predictions.hpp"

namespace refrain::diffusion {

namespace {

/// A mean by strength, cell by cell where that differs, in ComfyUI's order of sums.
class Mean {
 public:
  explicit Mean(const at::Tensor& x) : like_(x) {}

  void add(const at::Tensor& value, const PreparedCondition& condition) {
    if (!condition.weight.defined()) {
      sum_ = sum_.defined() ? sum_ + value * condition.strength : value * condition.strength;
      strength_ += static_cast<float>(condition.strength);
      if (strengths_.defined()) strengths_.add_(condition.strength);
      return;
    }
    if (!sum_.defined()) sum_ = at::zeros_like(like_);
    if (!strengths_.defined()) {
      strengths_ = at::full_like(like_, strength_);
      sum_ = sum_.clone();  // it may be somebody's tensor
    }
    const auto part = [&](const at::Tensor& whole) { return condition.area ? condition.area->of(whole) : whole; };
    part(sum_).add_(value * condition.weight);
    part(strengths_).add_(condition.weight);
  }

  at::Tensor get() const {
    if (!sum_.defined()) return at::zeros_like(like_);
    return strengths_.defined() ? sum_ / strengths_ : sum_ / strength_;
  }

 private:
  const at::Tensor& like_;
  at::Tensor sum_;
  float strength_ = 1e-37F;  // so that strengths of 0 give 0, not a division by it
  at::Tensor strengths_;     // where they differ from cell to cell
};

/// Whether guidance changes nothing, by the measure of Python's math.isclose.
bool is_one(double cfg) { return std::abs(cfg - 1) <= 1e-9 * std::max(std::abs(cfg), 1.0); }

/// The batch with the first positive condition, and where its pictures begin there.
std::pair<std::size_t, std::int64_t> first_positive(const std::vector<ConditionBatch>& batches, std::int64_t pictures) {
  for (std::size_t i = 0; i < batches.size(); ++i) {
    const auto& entries = batches[i].entries;
    const auto found = std::ranges::find(entries, Side::positive, &ConditionBatch::Entry::side);
    if (found != entries.end()) return {i, (found - entries.begin()) * pictures};
  }
  return {0, 0};
}

void check_not_empty(const std::vector<PreparedCondition>& conditions, const char* which) {
  if (conditions.empty()) {
    throw Error("empty_conditioning", std::string("the ") + which + " conditioning is empty: connect a prompt's");
  }
}

}  // namespace

GuidedDenoiser::GuidedDenoiser(const Model& model, PreparedConditions conditions, double cfg, std::int64_t pictures,
                               CachedDenoiser& network, Frequencies frequencies)
    : model_(model),
      conditions_(std::move(conditions)),
      cfg_(cfg),
      pictures_(pictures),
      network_(network),
      frequencies_(frequencies) {
  check_not_empty(conditions_.positive, "positive");
  if (!is_one(cfg_)) check_not_empty(conditions_.negative, "negative");
}

const std::vector<ConditionBatch>& GuidedDenoiser::batches_at(float sigma, bool both) {
  std::vector<ConditionBatch::Entry> running;
  const auto add = [&](const std::vector<PreparedCondition>& conditions, Side side) {
    for (const PreparedCondition& condition : conditions) {
      if (condition.holds_at(sigma)) running.push_back({side, &condition});
    }
  };
  add(conditions_.positive, Side::positive);
  if (both) add(conditions_.negative, Side::negative);
  const auto same = [](const ConditionBatch::Entry& a, const ConditionBatch::Entry& b) {
    return a.condition == b.condition;
  };
  if (!std::ranges::equal(running, running_, same)) {
    batches_ = batch_conditions(running, pictures_, model_.placement);
    running_ = std::move(running);
    ++batchings_;
  }
  return batches_;
}

at::Tensor GuidedDenoiser::operator()(const at::Tensor& x, float sigma, Place place) {
  const Placement& placement = model_.placement;
  const at::Tensor scaled = network_input(model_.prediction, x, sigma).to(placement.device, placement.dtype);
  const float t = model_.schedule->timestep(sigma);
  const bool both = !is_one(cfg_) || place.unconditional != nullptr;
  const std::vector<ConditionBatch>& batches = batches_at(sigma, both);
  std::vector<UNetInput> inputs;
  for (const ConditionBatch& batch : batches) {
    std::vector<at::Tensor> latents;
    for (const auto& [side, condition] : batch.entries) {
      latents.push_back(condition->area ? condition->area->of(scaled) : scaled);
    }
    at::Tensor latent = at::cat(latents);
    if (batch.further_channels.defined()) latent = at::cat({latent, batch.further_channels}, 1);
    const at::Tensor timesteps = at::full({latent.size(0)}, t, latent.options().dtype(at::kFloat));
    inputs.push_back({latent, timesteps, batch.context, model_.patches, sigma, frequencies_});
  }
  Answer answer;
  if (!inputs.empty()) {
    Question question{inputs, sigma, place, t, x, x.size(0)};
    std::tie(question.conditional, question.conditional_at) = first_positive(batches, x.size(0));
    question.conditions = batchings_;
    answer = network_.evaluate(question);
  }
  if (answer.denoised.defined()) {
    if (place.unconditional == nullptr) return answer.denoised;
    throw Error("cache_unconditional",
                "the sampler asks for the unconditional result, and the cache policy reuses the guided one; choose a "
                "policy that reuses features or predictions, or another sampler");
  }
  const std::vector<at::Tensor>& predictions = answer.predictions;

  Mean positive(x), negative(x);
  for (std::size_t i = 0; i < batches.size(); ++i) {
    const at::Tensor outputs = predictions[i].to(x.device(), at::kFloat);
    for (std::size_t j = 0; j < batches[i].entries.size(); ++j) {
      const auto [side, condition] = batches[i].entries[j];
      const at::Tensor output = outputs.narrow(0, static_cast<std::int64_t>(j) * x.size(0), x.size(0));
      const at::Tensor part = condition->area ? condition->area->of(x) : x;
      const at::Tensor denoised = predicted_picture(model_.prediction, output, part, sigma, t);
      (side == Side::positive ? positive : negative).add(denoised, *condition);
    }
  }
  at::Tensor denoised = positive.get();
  if (both) {
    const at::Tensor unconditional = negative.get();
    if (place.unconditional != nullptr) *place.unconditional = unconditional;
    denoised = model_.cfg_rescale ? rescaled(x, sigma, denoised, unconditional, cfg_, *model_.cfg_rescale)
                                  : unconditional + (denoised - unconditional) * cfg_;
  }
  network_.remember(denoised);
  return denoised;
}

}  // namespace refrain::diffusion
