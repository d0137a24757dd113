#include "load_options.hpp"

#include <refrain/diffusion/parts.hpp>

namespace {

using namespace refrain;

/// A denoising network from a file of its own.
class UNETLoader final : public Node {
 public:
  static constexpr Choice unet_name{"unet_name", FilesIn{"diffusion_models"},
                                    "the file, below models/diffusion_models or models/unet"};
  static constexpr Choice weight_dtype{"weight_dtype",
                                       {"default", "fp8_e4m3fn", "fp8_e4m3fn_fast", "fp8_e5m2"},
                                       "what the weights are rounded to; they are computed with in the run's type"};
  static constexpr Out<diffusion::Model> model{"MODEL", "the denoising network"};

  static Schema schema() {
    return Schema{"UNETLoader",
                  "advanced/loaders",
                  "Loads a denoising network from a file of its own.",
                  {unet_name, weight_dtype},
                  {model}}
        .titled("Load Diffusion Model");
  }

  void run(Context& ctx) override {
    using diffusion::WeightRounding;
    const std::string& dtype = ctx[weight_dtype];
    const WeightRounding rounding = dtype == "default"    ? WeightRounding::none
                                    : dtype == "fp8_e5m2" ? WeightRounding::float8_e5m2
                                                          : WeightRounding::float8_e4m3;
    ctx.set(model, diffusion::load_unet(ctx.path(unet_name), load_options(ctx), rounding));
  }
};

}  // namespace

REFRAIN_NODE(UNETLoader)
