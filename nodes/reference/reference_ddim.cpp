#include <refrain/plugin.hpp>

#include "reference_sampler_value.hpp"

namespace {

using namespace refrain;

/// DDIM as the original implementations run it.
class ReferenceDDIM final : public Node {
 public:
  static constexpr In<diffusion::Model> model{"model", "whose noise schedule to use"};
  static constexpr Choice implementation{
      "implementation", {"ldm", "ermongroup", "diffusers"}, "whose tables, final alpha and order of arithmetic"};
  static constexpr Param<double> eta{"eta", 0.0, {0.0, 1.0, 0.01}, "share of DDPM's noise; 0 is deterministic"};
  static constexpr Param<bool> clip{"clip", false, "clamp every estimate of the picture to -1..1 (diffusers' pixels)"};
  static constexpr Out<diffusion::Sampler> sampler{"SAMPLER", "for SamplerCustom, with sigmas of ReferenceTimesteps"};

  static Schema schema() {
    return Schema{"ReferenceDDIM",
                  "refrain/reference",
                  "DDIM as CompVis, ermongroup or diffusers run it, to the last digits.",
                  {model, implementation, eta, clip},
                  {sampler}}
        .titled("Reference DDIM");
  }

  void run(Context& ctx) override {
    diffusion::ReferenceSampler made;
    made.method = diffusion::ReferenceSampler::Method::ddim;
    made.convention = convention_called(ctx[implementation]);
    made.eta = ctx[eta];
    made.clip = ctx[clip];
    ctx.set(sampler, reference_sampler_value(ctx[model], "ddim of " + ctx[implementation], made));
  }
};

}  // namespace

REFRAIN_NODE(ReferenceDDIM)
