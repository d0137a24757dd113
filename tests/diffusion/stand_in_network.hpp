#pragma once
// A network that is a formula with the structure of a U-Net, so that caching and guidance can be tested by hand.

#include <ATen/TensorOperators.h>
#include <refrain/diffusion/cached_denoiser.hpp>

#include <stdexcept>
#include <vector>

namespace refrain::diffusion::testing {

/// Skips e_k = (k + 1) x + t / 1000 + mean of the context; h_{S-1} = x^2; h_{k-1} = h_k / 2 + e_k; prediction
/// h_0 / 2 + e_0. Deep(k) begins with the h_k that it is given, encoder_reused with all e_k and h_{S-1}. A full
/// evaluation of one sample costs S + 1, Deep(k) k + 1, the decoder alone S / 2.
class StandInNetwork final : public Network {
 public:
  struct Call {
    Evaluate evaluate;
    std::vector<int> keep;
    std::vector<std::int64_t> latent, context;
    float timestep;
  };

  explicit StandInNetwork(int skips = 4) : skips_(skips) {}

  int skips() const override { return skips_; }

  UNetResult evaluate(const UNetInput& input, const UNetRequest& request) const override {
    calls.push_back({request.evaluate,
                     {request.keep.begin(), request.keep.end()},
                     input.latent.sizes().vec(),
                     input.context.sizes().vec(),
                     input.timesteps.select(0, 0).item<float>()});
    if (fail_at == static_cast<int>(calls.size())) throw std::runtime_error("out of memory");
    UNetResult result;
    result.kept.resize(request.keep.size());
    const bool full = request.evaluate == Evaluate::full(), reused = request.evaluate == Evaluate::encoder_reused();
    std::vector<at::Tensor> skips;
    for (int i = 0; i < skips_; ++i) skips.push_back(reused ? request.encoder->skips.at(i) : skip(i, input));
    int k = full || reused ? skips_ - 1 : request.evaluate.depth;
    at::Tensor h = full ? input.latent * input.latent : reused ? request.encoder->middle : request.feature;
    if (full && request.keep_encoder) result.encoder = {skips, h};
    if (full) keep(k, h, request, result);
    for (; k > 0; --k) {
      h = h / 2 + skips[k];
      keep(k - 1, h, request, result);
    }
    result.prediction = h / 2 + skips[0];
    return result;
  }

  Macs macs(Evaluate evaluate, const UNetInput& input) const override {
    const bool decoder = evaluate == Evaluate::encoder_reused();
    const double units = evaluate == Evaluate::full() ? skips_ + 1 : decoder ? skips_ / 2.0 : evaluate.depth + 1;
    return Macs{units, 0, 0} * static_cast<double>(input.latent.size(0));
  }

  std::uint64_t revision() const override { return weights; }

  mutable std::vector<Call> calls;
  std::uint64_t weights = 0;  ///< change it to say that they are others
  int fail_at = 0;            ///< the call, from 1, that throws

 private:
  static at::Tensor skip(int k, const UNetInput& input) {
    const at::Tensor t = input.timesteps.view({-1, 1, 1, 1}).to(input.latent.scalar_type());
    const at::Tensor context = input.context.mean(at::IntArrayRef{1, 2}).view({-1, 1, 1, 1});
    return input.latent * (k + 1) + t / 1000 + context;
  }

  static void keep(int k, const at::Tensor& h, const UNetRequest& request, UNetResult& result) {
    for (std::size_t i = 0; i < request.keep.size(); ++i) {
      if (request.keep[i] == k) result.kept[i] = h;
    }
  }

  int skips_;
};

}  // namespace refrain::diffusion::testing
