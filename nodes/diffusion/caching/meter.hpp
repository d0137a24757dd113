#pragma once
// Measures how much inputs and outputs change from evaluation to evaluation, for sessions that declared it.

#include <refrain/diffusion/cached_denoiser.hpp>

#include <cstddef>
#include <optional>
#include <vector>

#include "kept_memory.hpp"

namespace refrain::diffusion {

/// Keeps, for each declared measure and stage, the part of the last input and output that it looks at: copies, because
/// a solver may go on in place.
class Meter {
 public:
  explicit Meter(const Needs& needs) : measures_(needs.measures), shared_(needs.stages == Stages::shared) {}

  void begin(const Question& question);
  /// mean |a - b| of the question's input, taken in its own dtype as ComfyUI takes it.
  std::optional<double> input_change(std::size_t measure);
  /// What the answer tells. `answer.denoised` is that of guidance here.
  OutputMeasure output(std::size_t measure, const Answer& answer);
  /// Makes the question and the answer those to compare with. An answer that was estimated is not compared with.
  void end(const Answer& answer, bool computed);
  void forget() { references_.clear(); }
  void count(ByteCount& bytes) const;

 private:
  struct Reference {
    at::Tensor input, output;
  };

  std::vector<Reference>& references();
  const Measure& measure(std::size_t index) const;
  at::Tensor input_of(const Measure& measure) const;
  /// Undefined where the answer has no output in the measure's space.
  at::Tensor output_of(const Measure& measure, Measure::Part part, const Answer& answer) const;
  at::Tensor part_of(Measure::Part part, const std::vector<at::Tensor>& batches) const;

  std::vector<Measure> measures_;
  bool shared_;
  Question question_;
  std::vector<at::Tensor> latents_;                 // of the question's inputs
  std::vector<std::optional<double>> changes_;      // of the question's input, once computed
  std::vector<std::vector<Reference>> references_;  // by stage, by measure
};

}  // namespace refrain::diffusion
