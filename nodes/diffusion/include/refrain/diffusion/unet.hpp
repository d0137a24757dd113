#pragma once
// The denoising U-Net of SD, LDM and DDPM, driven by configuration: encoder units, a middle, decoder units, a head.
// High-Resolution Image Synthesis with Latent Diffusion Models. Rombach et al. CVPR 2022, arXiv:2112.10752.
// Letters: N batch, C channels, h w latent sides, T text tokens, D width of a token, S skips.

#include <ATen/core/Tensor.h>
#include <refrain/diffusion/cache_policy.hpp>
#include <refrain/diffusion/unet_patches.hpp>
#include <refrain/diffusion/weights.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace refrain::diffusion {

/// Whose U-Net it is: names of the tensors and what shapes can't tell.
enum class UNetStyle : std::uint8_t {
  ldm,   ///< CompVis: "input_blocks...", transformers, norms with 1e-5, cosines first, halving pads every side
  ddpm,  ///< ermongroup: "down...", attention over places, norms with 1e-6, sines first, halving pads right and below
};

/// Whose code rounds the frequencies of the time step's sinusoids. Only the ddpm style's differ: by one unit in the
/// last place of a frequency, which is 6e-5 of a phase at step 999.
enum class Frequencies : std::uint8_t {
  original,   ///< CompVis' and ermongroup's
  diffusers,  ///< diffusers', which has one for all networks
};

/// Sizes of a U-Net. The family gives what shapes can't tell (heads, norms).
struct UNetConfig {
  UNetStyle style = UNetStyle::ldm;
  int in_channels = 4;
  int out_channels = 4;
  int model_channels = 320;
  std::vector<int> channel_mult{1, 2, 4, 4};
  int res_blocks = 2;
  std::vector<int> transformer_depth{1, 1, 1, 0};  ///< per level; 0: no attention there; ddpm: 0 or 1
  int middle_transformer_depth = 1;
  int heads = 8;          ///< number of heads at every level, when head_channels is 0
  int head_channels = 0;  ///< channels of a head, when heads follow the width
  int context_dim = 768;  ///< width of a token; 0: the network takes no context
  /// Whether DeepCache's counter knew the norms of resnets and head. CompVis' own class of them escaped it, which
  /// matters for LDM-4-G's published 99.82 G (99.86 with them); Stable Diffusion was counted on diffusers' classes.
  bool resnet_norms_counted = true;
};

/// What goes in. The latent is already scaled by the sampler's c_in.
struct UNetInput {
  at::Tensor latent;                        ///< [N, C, h, w]
  at::Tensor timesteps;                     ///< [N] float32, in 0..999
  at::Tensor context;                       ///< [N, T, D]
  std::span<const UNetPatch> patches = {};  ///< in the order in which they were put on the model
  float sigma = 0;                          ///< the sampler's, for patches that hold for a part of the run
  Frequencies frequencies = Frequencies::original;
};

/// What the decoder takes from the rest of the network.
struct EncoderOutput {
  std::vector<at::Tensor> skips;  ///< s_0 .. s_{S-1}
  at::Tensor middle;              ///< the middle's output, which is h_{S-1}
};

/// Which part to compute, what to reuse, what to hand out.
struct UNetRequest {
  Evaluate evaluate = Evaluate::full();    ///< full, deep(k) or encoder_reused
  at::Tensor feature = {};                 ///< for deep(k): h_k, as `kept` gave it
  std::span<const int> keep = {};          ///< depths whose h_k is handed out, where this evaluation computes it
  const EncoderOutput* encoder = nullptr;  ///< for encoder_reused: what a full evaluation handed out
  bool keep_encoder = false;               ///< hand it out, where this evaluation computes it
};

struct UNetResult {
  at::Tensor prediction;         ///< [N, out_channels, h, w], in the latent's dtype
  std::vector<at::Tensor> kept;  ///< one for each requested depth, in order; undefined where it was not computed
  EncoderOutput encoder;         ///< empty unless it was asked for and the evaluation was full
};

/// Multiply-accumulates, in two counts: as published, and executed.
struct Macs {
  double module = 0;      ///< convolutions, linears, norms and biases, as DeepCache's counter has them: as published
  double attention = 0;   ///< the two matrix products of attention, which that counter omits
  double overlooked = 0;  ///< norms of a class that it doesn't know, biases of all but one row of a linear layer
  double total() const { return module + attention + overlooked; }  ///< executed
  Macs& operator+=(const Macs& other) {
    module += other.module;
    attention += other.attention;
    overlooked += other.overlooked;
    return *this;
  }
  friend Macs operator*(Macs macs, double times) {
    return {macs.module * times, macs.attention * times, macs.overlooked * times};
  }
};

/// Cost of one sample of a latent of h x w with T context tokens, from the sizes alone; with patches that change sizes
/// at `sigma`, with theirs (what the patches themselves compute is left out).
/// Throws ShapeError for a depth that the network lacks.
Macs macs_of(const UNetConfig& config, Evaluate evaluate, int h, int w, int context_tokens,
             std::span<const UNetPatch> patches = {}, float sigma = 0);

/// Immutable after construction; evaluate() may be called from several threads.
class UNet {
 public:
  /// Takes its weights from `weights`, a view at the U-Net (single-file SD names below "model.diffusion_model"), packed
  /// for the device once. Throws ModelError naming the tensor that is missing or has the wrong shape.
  UNet(const UNetConfig& config, const Weights& weights);
  ~UNet();
  UNet(const UNet&) = delete;
  UNet& operator=(const UNet&) = delete;

  const UNetConfig& config() const;
  /// S: the number of skips, and of depths.
  int skips() const;
  /// Throws ShapeError for wrong shapes, a depth outside 0..S-1, a missing feature or encoder output, ModelError for
  /// Evaluate::nothing. Deep(k) with the h_k of a full evaluation of the same input gives that one's prediction, bit
  /// for bit; so does encoder_reused with its encoder output. Both hold under patches, too: what is handed out and
  /// taken is h_k before they change it.
  UNetResult evaluate(const UNetInput& input, const UNetRequest& request = {}) const;
  /// macs_of(config(), ...).
  Macs macs(Evaluate evaluate, int h, int w, int context_tokens, std::span<const UNetPatch> patches = {},
            float sigma = 0) const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace refrain::diffusion
