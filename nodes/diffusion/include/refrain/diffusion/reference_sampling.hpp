#pragma once
// The samplers and time steps of the implementations that the papers' numbers were made with, each with its own table
// of alphas, final alpha, clipping and order of arithmetic: the same noise gives the same picture, step by step.
//
//   ldm         CompVis latent-diffusion and stable-diffusion, ldm/models/diffusion/{ddim,plms}.py
//   ermongroup  ermongroup ddim, functions/denoising.py
//   diffusers   huggingface diffusers, schedulers/scheduling_{ddim,pndm,ddpm}.py
//
// Letters: a the product of 1 - beta up to a training step ("alpha bar"), a' that of the next step of the run, T the
// number of training steps.

#include <ATen/core/Tensor.h>
#include <refrain/diffusion/noise_law.hpp>
#include <refrain/diffusion/sampling.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace refrain::diffusion {

enum class Convention : std::uint8_t { ldm, ermongroup, diffusers };

/// a at every training step, [T] float32, to the bit as the implementation has it. ldm: betas and products in float64,
/// rounded at the end; ermongroup: betas in float64, products in float32; diffusers: all in float32.
at::Tensor reference_alphas(const NoiseLaw& law, Convention convention);

/// Names of the rules that choose time steps: "ldm uniform", "ldm quad", "ermongroup uniform", "ermongroup quad",
/// "diffusers leading", "diffusers trailing", "diffusers linspace".
const std::vector<std::string>& timestep_rules();

/// Training steps of a run of `steps`, descending, as the rule called `rule` chooses them. Uniform rules give more than
/// `steps` where that doesn't divide T. `offset` is added to each step of "diffusers leading" (steps_offset).
/// Throws Error "bad_timesteps" for an unknown rule and where a step would be outside 0..T-1, as the originals do.
std::vector<int> reference_timesteps(const std::string& rule, int steps, int training_steps, int offset = 0);

/// Where a run ends.
enum class FinalAlpha : std::uint8_t {
  one,    ///< a' = 1: the picture itself
  first,  ///< a' = that of training step 0: what ldm does, and diffusers with set_alpha_to_one = false
};

/// What a rule's own implementation ends at: ldm at the first training step, ermongroup at 1, diffusers at either.
FinalAlpha usual_final_alpha(const std::string& rule);

/// [n + 1] float32 for n time steps: the sigmas of these training steps, then that of the end. The value of a SIGMAS
/// edge, for the samplers below and for any other.
at::Tensor reference_sigmas(const NoiseSchedule& schedule, const std::vector<int>& timesteps, FinalAlpha final);

/// A sampler of a reference.
struct ReferenceSampler {
  enum class Method : std::uint8_t {
    ddim,  ///< Denoising Diffusion Implicit Models. Song et al. ICLR 2021, arXiv:2010.02502, eq. 12 and 16
    plms,  ///< Pseudo Numerical Methods for Diffusion Models on Manifolds. Liu et al. ICLR 2022, arXiv:2202.09778
    ddpm,  ///< Denoising Diffusion Probabilistic Models. Ho et al. NeurIPS 2020, arXiv:2006.11239, algorithm 2
  };
  enum class Variance : std::uint8_t { fixed_small, fixed_large };

  Method method = Method::ddim;
  Convention convention = Convention::ldm;
  double eta = 0;                             ///< ddim: share of the noise of DDPM; 0 is deterministic
  bool clip = false;                          ///< clamps every estimate of the picture to -1..1
  Variance variance = Variance::fixed_small;  ///< ddpm of diffusers; ermongroup's is always the large one

  std::shared_ptr<const NoiseSchedule> schedule;  ///< of the model: tells the training step of a sigma
  NoiseLaw law;

  /// A run over sigmas as reference_sigmas gives them. It starts from the noise alone where the latent is empty (all
  /// zeros), else from the latent with the noise of the first step. The steps' noise continues the stream that
  /// make_noise(shape, options.noise_seed) began. plms evaluates twice in its first step (stages 0 and 1).
  /// Throws Error "bad_reference_sampler" for a method that the convention lacks.
  at::Tensor operator()(const Denoiser& denoise, at::Tensor x, const std::vector<float>& sigmas,
                        const SamplerOptions& options) const;
};

}  // namespace refrain::diffusion
