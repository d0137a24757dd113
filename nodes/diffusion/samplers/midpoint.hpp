#pragma once
// The step that dpm_2 and dpm_2_ancestral share.

#include <refrain/diffusion/sampling.hpp>

namespace refrain::diffusion {

/// From x at `sigma`, where `denoised` is known, to `next`: the slope in the middle of log sigma, evaluated as stage 1
/// of `step`, for the whole way. Euler's step where `next` is 0.
at::Tensor midpoint_step(const Denoiser& denoise, const at::Tensor& x, const at::Tensor& denoised, float sigma,
                         float next, int step);

}  // namespace refrain::diffusion
