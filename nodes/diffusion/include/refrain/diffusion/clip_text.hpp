#pragma once
// The text encoder of CLIP ViT-L/14. Learning Transferable Visual Models From Natural Language Supervision.
// Radford et al. ICML 2021, arXiv:2103.00020. Letters: B chunks, T = 77 tokens, D width.

#include <ATen/core/Tensor.h>
#include <refrain/diffusion/weights.hpp>

#include <cstdint>
#include <memory>
#include <span>

namespace refrain::diffusion {

struct ClipTextConfig {
  int width = 768;
  int layers = 12;
  int heads = 12;
  int vocabulary = 49408;
  int positions = 77;
};

/// A vector that stands in place of a token's row of the embedding table.
struct InsertedVector {
  std::int64_t row = 0;
  std::int64_t column = 0;
  at::Tensor vector;  ///< [D]
};

class ClipTextModel {
 public:
  ClipTextModel(const ClipTextConfig& config, const Weights& weights);
  ~ClipTextModel();
  ClipTextModel(const ClipTextModel&) = delete;
  ClipTextModel& operator=(const ClipTextModel&) = delete;

  const ClipTextConfig& config() const;
  /// tokens [B, T] int64 -> [B, T, D] float32: the output of layer `layer` (-1: the last), then the final norm.
  /// Throws ShapeError, also for an inserted vector of another width.
  at::Tensor encode(const at::Tensor& tokens, int layer = -1, std::span<const InsertedVector> inserted = {}) const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace refrain::diffusion
