#pragma once
// How a LoRA file changes one weight. Letters: O rows of the weight, I what follows flattened, r rank, a alpha, s
// strength.
//
//   low_rank     W + s (a / r) B A                         LoRA. Hu et al. arXiv:2106.09685, eq. 3
//                with a middle M [r, r, k, k]: A is M folded into A; 1x1 and k x k convolutions are flattened
//   hadamard     W + s (a / r) (B1 A1) o (B2 A2)           FedPara. Hyeon-Woo et al. ICLR 2022, arXiv:2108.06098, eq. 5
//   kronecker    W + s (a / r) W1 (x) W2                   KronA. Edalati et al. arXiv:2212.10650; LyCORIS' LoKr
//   difference   W + s D
//   replacement  D, whatever the strength
// With a scale m (DoRA. Liu et al. ICML 2024, arXiv:2402.09353, eq. 5) the sum of the first three at s = 1 is rescaled
// to m, and s goes from W to that. Arithmetic in float32, in the order of comfy/weight_adapter.

#include <ATen/core/Tensor.h>
#include <refrain/diffusion/weights.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace refrain::diffusion {

/// The change of one weight. Its tensors stay in the file until they are wanted.
struct WeightUpdate {
  enum class Kind : std::uint8_t { low_rank, hadamard, kronecker, difference, replacement };

  Kind kind = Kind::low_rank;
  std::shared_ptr<const WeightSource> file;
  std::map<std::string, std::string, std::less<>> parts;  ///< tensors in the file, by what they are: "up", "down", ...
  std::optional<double> alpha;

  bool has(std::string_view part) const { return parts.contains(part); }
  const std::string& name_of(std::string_view part) const { return parts.find(part)->second; }
  const TensorInfo& info(std::string_view part) const { return file->tensors().find(name_of(part))->second; }
  at::Tensor tensor(std::string_view part) const;  ///< in float32
};

/// Throws ModelError "lora_shape" where the parts don't make a change of a weight of that shape.
void check_update(const WeightUpdate& update, const std::string& weight, at::IntArrayRef shape);

/// The weight, float32 and the function's own, changed. Throws ModelError "lora_shape".
at::Tensor updated(const WeightUpdate& update, double strength, at::Tensor weight);

}  // namespace refrain::diffusion
