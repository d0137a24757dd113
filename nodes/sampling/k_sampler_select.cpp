#include <refrain/plugin.hpp>

#include <refrain/diffusion/sampling.hpp>

#include "sampling_run.hpp"

namespace {

using namespace refrain;

/// A sampler by its name.
class KSamplerSelect final : public Node {
 public:
  static constexpr Choice sampler_name{"sampler_name", sampler_choices, "the solver"};
  static constexpr Out<diffusion::Sampler> sampler{"SAMPLER"};

  static Schema schema() {
    return {"KSamplerSelect",
            "sampling/custom_sampling/samplers",
            "Chooses a sampler by its name.",
            {sampler_name},
            {sampler}};
  }

  void run(Context& ctx) override { ctx.set(sampler, diffusion::find_sampler(ctx[sampler_name])); }
};

}  // namespace

REFRAIN_NODE(KSamplerSelect)
