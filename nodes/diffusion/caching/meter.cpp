#include "meter.hpp"

#include <ATen/TensorOperators.h>
#include <refrain/diffusion/error.hpp>

#include <utility>

namespace refrain::diffusion {

namespace {

at::Tensor thinned(const at::Tensor& x, int stride) {
  return stride > 1 ? x.slice(2, 0, x.size(2), stride).slice(3, 0, x.size(3), stride) : x;
}

double mean_change(const at::Tensor& a, const at::Tensor& b) { return (a - b).abs().mean().item<double>(); }

}  // namespace

void Meter::begin(const Question& question) {
  if (measures_.empty()) return;
  question_ = question;
  question_.inputs = {};  // they live no longer than the call
  latents_.clear();
  for (const UNetInput& input : question.inputs) latents_.push_back(input.latent);
  changes_.assign(measures_.size(), std::nullopt);
}

std::optional<double> Meter::input_change(std::size_t index) {
  const Measure& asked = measure(index);
  const at::Tensor& before = references()[index].input;
  const at::Tensor now = input_of(asked);
  if (!before.defined() || !now.defined()) return std::nullopt;
  if (!changes_[index]) changes_[index] = mean_change(thinned(now, asked.stride), before);
  return changes_[index];
}

OutputMeasure Meter::output(std::size_t index, const Answer& answer) {
  const Measure& asked = measure(index);
  OutputMeasure measured{input_change(index), {}, 0};
  const at::Tensor now = output_of(asked, asked.part, answer);
  if (!now.defined()) return measured;
  const at::Tensor& before = references()[index].output;
  if (before.defined()) measured.change = mean_change(thinned(now, asked.stride), before);
  measured.norm = output_of(asked, asked.norm, answer).abs().mean().item<double>();
  return measured;
}

void Meter::end(const Answer& answer, bool computed) {
  if (measures_.empty()) return;
  std::vector<Reference>& kept = references();
  for (std::size_t i = 0; i < measures_.size(); ++i) {
    const Measure& one = measures_[i];
    const at::Tensor input = input_of(one);
    if (input.defined() && (computed || one.since == Measure::Since::previous)) {
      kept[i].input = thinned(input, one.stride).clone(at::MemoryFormat::Contiguous);
    }
    const at::Tensor output = computed ? output_of(one, one.part, answer) : at::Tensor();
    if (output.defined()) kept[i].output = thinned(output, one.stride).clone(at::MemoryFormat::Contiguous);
  }
  latents_.clear();
  question_.x.reset();
}

void Meter::count(ByteCount& bytes) const {
  for (const auto& stage : references_) {
    for (const Reference& reference : stage) {
      bytes.add(reference.input);
      bytes.add(reference.output);
    }
  }
}

std::vector<Meter::Reference>& Meter::references() {
  const std::size_t stage = shared_ ? 0 : static_cast<std::size_t>(question_.place.stage);
  while (references_.size() <= stage) references_.emplace_back(measures_.size());
  return references_[stage];
}

const Measure& Meter::measure(std::size_t index) const {
  if (index < measures_.size()) return measures_[index];
  throw Error("cache_measure",
              "measure " + std::to_string(index) + " was not declared; there are " + std::to_string(measures_.size()));
}

at::Tensor Meter::input_of(const Measure& measure) const {
  return measure.space == Measure::Space::solver ? question_.x : part_of(measure.part, latents_);
}

at::Tensor Meter::output_of(const Measure& measure, Measure::Part part, const Answer& answer) const {
  return measure.space == Measure::Space::solver ? answer.denoised : part_of(part, answer.predictions);
}

at::Tensor Meter::part_of(Measure::Part part, const std::vector<at::Tensor>& batches) const {
  if (batches.empty()) return {};
  const bool conditional = part == Measure::Part::conditional;
  const at::Tensor& batch = batches[conditional ? question_.conditional : 0];
  const std::int64_t pictures = question_.pictures > 0 ? question_.pictures : batch.size(0);
  if (part == Measure::Part::batch) return batch;
  return batch.narrow(0, conditional ? question_.conditional_at : 0, pictures);
}

}  // namespace refrain::diffusion
