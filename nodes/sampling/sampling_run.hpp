#pragma once
// What the sampling nodes have in common: from a latent and a request to the latents that they give.

#include <refrain/context.hpp>
#include <refrain/payloads.hpp>

#include <refrain/diffusion/sampling.hpp>

namespace refrain {

/// The choices of `sampler_name` and of `scheduler`.
Choices sampler_choices(const Host& host);
Choices scheduler_choices(const Host& host);

struct SampledLatents {
  Latent latent;
  Latent denoised;  ///< the last estimate of the picture; the same latent where there was no step
};

/// Runs `request`, whose latent and noise are made here: from `start`, with the noise that `noise` chooses. Tells
/// progress after each step, stops when asked to, attaches the run's report. The latents keep the batch index and the
/// mask of `start`.
SampledLatents run_sampling(Context& ctx, diffusion::SamplingRequest request, const Latent& start,
                            const diffusion::NoiseChoice& noise);

}  // namespace refrain
