#pragma once
// What the host is told after each step of a sampler.

#include <refrain/context.hpp>
#include <refrain/diffusion/latent_preview.hpp>
#include <refrain/diffusion/sampling.hpp>
#include <refrain/host.hpp>

namespace refrain {

/// Tells the progress, and shows the latent where somebody looks. Throws Cancelled when somebody asked to stop.
inline void tell_step(Context& ctx, const diffusion::StepReport& done) {
  if (done.denoised.defined() && ctx.host().wants_previews()) {
    if (const at::Tensor pixels = diffusion::latent_preview(done.denoised); pixels.defined())
      ctx.host().preview(pixels);
  }
  ctx.progress(done.step + 1, done.steps);
}

}  // namespace refrain
