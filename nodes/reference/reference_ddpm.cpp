#include <refrain/plugin.hpp>

#include "reference_sampler_value.hpp"

namespace {

using namespace refrain;

/// DDPM's ancestral sampling as the original implementations run it.
class ReferenceDDPM final : public Node {
 public:
  static constexpr In<diffusion::Model> model{"model", "whose noise schedule to use"};
  static constexpr Choice implementation{
      "implementation", {"ermongroup", "diffusers"}, "whose tables and order of arithmetic"};
  static constexpr Choice variance{
      "variance", {"fixed_small", "fixed_large"}, "of diffusers; ermongroup's is always the large one"};
  static constexpr Param<bool> clip{"clip", true,
                                    "clamp every estimate of the picture to -1..1; ermongroup does it always"};
  static constexpr Out<diffusion::Sampler> sampler{"SAMPLER", "for SamplerCustom, with sigmas of ReferenceTimesteps"};

  static Schema schema() {
    return Schema{"ReferenceDDPM",
                  "refrain/reference",
                  "DDPM's ancestral sampling as ermongroup (ddpm_noisy) or diffusers run it.",
                  {model, implementation, variance, clip},
                  {sampler}}
        .titled("Reference DDPM");
  }

  void run(Context& ctx) override {
    diffusion::ReferenceSampler made;
    made.method = diffusion::ReferenceSampler::Method::ddpm;
    made.convention = convention_called(ctx[implementation]);
    made.clip = ctx[clip];
    made.variance = ctx[variance] == "fixed_small" ? diffusion::ReferenceSampler::Variance::fixed_small
                                                   : diffusion::ReferenceSampler::Variance::fixed_large;
    ctx.set(sampler, reference_sampler_value(ctx[model], "ddpm of " + ctx[implementation], made));
  }
};

}  // namespace

REFRAIN_NODE(ReferenceDDPM)
