#include <refrain/plugin.hpp>

#include "reference_sampler_value.hpp"

namespace {

using namespace refrain;

/// PLMS as the original implementations run it.
class ReferencePLMS final : public Node {
 public:
  static constexpr In<diffusion::Model> model{"model", "whose noise schedule to use"};
  static constexpr Choice implementation{
      "implementation", {"ldm", "diffusers"}, "whose tables, final alpha and order of arithmetic"};
  static constexpr Out<diffusion::Sampler> sampler{"SAMPLER", "for SamplerCustom, with sigmas of ReferenceTimesteps"};

  static Schema schema() {
    return Schema{"ReferencePLMS",
                  "refrain/reference",
                  "PLMS as CompVis or diffusers (PNDM) run it: two evaluations in the first step, then one in each.",
                  {model, implementation},
                  {sampler}}
        .titled("Reference PLMS");
  }

  void run(Context& ctx) override {
    diffusion::ReferenceSampler made;
    made.method = diffusion::ReferenceSampler::Method::plms;
    made.convention = convention_called(ctx[implementation]);
    ctx.set(sampler, reference_sampler_value(ctx[model], "plms of " + ctx[implementation], made));
  }
};

}  // namespace

REFRAIN_NODE(ReferencePLMS)
