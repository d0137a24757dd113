#pragma once
// Weights that are drawn when they are asked for, so that a benchmark needs no file.

#include "layout_writer.hpp"
#include "random_weights.hpp"

#include <refrain/diffusion/weights.hpp>

#include <map>
#include <string>

namespace refrain::bench {

/// A checkpoint that holds a U-Net of these sizes, float16, below kUNetPath.
class RandomSource final : public diffusion::WeightSource {
 public:
  static constexpr const char* kUNetPath = "model.diffusion_model";

  explicit RandomSource(const diffusion::UNetConfig& unet = {}) {
    diffusion::Layout layout;
    diffusion::write_unet(diffusion::LayoutWriter(layout), kUNetPath, unet);
    for (const auto& [name, shape] : layout) infos_[name] = {at::kHalf, shape};
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
