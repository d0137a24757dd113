#pragma once
#include <ATen/core/Tensor.h>
#include <refrain/diffusion/weights.hpp>

namespace refrain::diffusion {

/// Group Normalization, 32 groups. Wu, He. ECCV 2018, arXiv:1803.08494. Statistics in float32 for every dtype.
class GroupNorm {
 public:
  GroupNorm(const Weights& weights, int channels, double eps);

  at::Tensor operator()(const at::Tensor& x) const;  ///< [N, C, h, w] -> the same shape and memory format
  at::Tensor silu(const at::Tensor& x) const;        ///< y * sigmoid(y) of the normalised y

 private:
  at::Tensor weight_;
  at::Tensor bias_;
  double eps_;
};

/// Layer Normalization over the last dimension. Ba, Kiros, Hinton. arXiv:1607.06450.
class LayerNorm {
 public:
  explicit LayerNorm(const Weights& weights, int width, double eps = 1e-5);

  at::Tensor operator()(const at::Tensor& x) const;  ///< [..., D] -> [..., D]

 private:
  at::Tensor weight_;
  at::Tensor bias_;
  double eps_;
};

}  // namespace refrain::diffusion
