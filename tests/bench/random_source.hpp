#pragma once
// Weights that are drawn when they are asked for, so that a benchmark needs no file.

#include "family_layouts.hpp"
#include "random_weights.hpp"

#include <refrain/diffusion/weights.hpp>

#include <map>
#include <string>

namespace refrain::bench {

/// A checkpoint with the names of SD 1.x and a U-Net of these sizes, float16.
class RandomSource final : public diffusion::WeightSource {
 public:
  explicit RandomSource(const diffusion::UNetConfig& unet = {}) {
    for (const auto& [name, shape] : diffusion::sd1_layout(unet, {}, {})) infos_[name] = {at::kHalf, shape};
  }
  const std::string& name() const override { return name_; }
  const std::map<std::string, diffusion::TensorInfo, std::less<>>& tensors() const override { return infos_; }
  const std::map<std::string, std::string, std::less<>>& metadata() const override { return metadata_; }
  at::Tensor tensor(std::string_view name) const override {
    return diffusion::random_weight(name, infos_.find(name)->second.shape, at::kHalf, 0);
  }

 private:
  std::string name_ = "random weights";
  std::map<std::string, diffusion::TensorInfo, std::less<>> infos_;
  std::map<std::string, std::string, std::less<>> metadata_;
};

}  // namespace refrain::bench
