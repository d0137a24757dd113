#pragma once
#include "ops/linear.hpp"

namespace refrain::diffusion {

/// GEGLU: (x W + b) * gelu(x V + c), exact erf gelu. GLU Variants Improve Transformer. Shazeer. arXiv:2002.05202,
/// eq. 6.
class Geglu {
 public:
  /// Takes "weight" [2 O, I] and "bias" [2 O]: the values' rows first, then the gates'.
  Geglu(const Weights& weights, int in, int out)
      : values_(weights, in, 2 * out, 0, out), gates_(weights, in, 2 * out, out, out) {}

  at::Tensor operator()(const at::Tensor& x) const {
    return values_.multiply(x, gates_.gelu(x));
  }  ///< [..., I] -> [..., O]

 private:
  Linear values_;
  Linear gates_;
};

}  // namespace refrain::diffusion
