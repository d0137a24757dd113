#include "weights/renamed.hpp"

#include <ATen/core/Tensor.h>
#include <refrain/diffusion/error.hpp>

#include <utility>

namespace refrain::diffusion {
namespace {

class RenamedWeights final : public WeightSource {
 public:
  RenamedWeights(std::shared_ptr<const WeightSource> source, std::map<std::string, Renamed, std::less<>> names,
                 std::map<std::string, std::string, std::less<>> metadata)
      : source_(std::move(source)), names_(std::move(names)), metadata_(std::move(metadata)) {
    for (const auto& [name, renamed] : names_) {
      TensorInfo info = source_->tensors().at(renamed.original);
      if (!renamed.shape.empty()) info.shape = renamed.shape;
      tensors_.emplace_hint(tensors_.end(), name, std::move(info));
    }
  }

  const std::string& name() const override { return source_->name(); }
  const std::map<std::string, TensorInfo, std::less<>>& tensors() const override { return tensors_; }
  const std::map<std::string, std::string, std::less<>>& metadata() const override { return metadata_; }
  at::Tensor tensor(std::string_view name) const override {
    const Renamed& renamed = find(name);
    at::Tensor found = source_->tensor(renamed.original);
    return renamed.shape.empty() ? found : found.view(renamed.shape);
  }
  void give_back(std::string_view name) const override { source_->give_back(find(name).original); }
  void read_ahead() const override { source_->read_ahead(); }

 private:
  const Renamed& find(std::string_view name) const {
    const auto place = names_.find(name);
    if (place == names_.end()) {
      throw ModelError("weight_missing", source_->name() + " has no tensor for '" + std::string(name) + "'");
    }
    return place->second;
  }

  std::shared_ptr<const WeightSource> source_;
  std::map<std::string, Renamed, std::less<>> names_;
  std::map<std::string, std::string, std::less<>> metadata_;
  std::map<std::string, TensorInfo, std::less<>> tensors_;
};

}  // namespace

std::shared_ptr<const WeightSource> renamed_weights(std::shared_ptr<const WeightSource> source,
                                                    std::map<std::string, Renamed, std::less<>> names,
                                                    std::map<std::string, std::string, std::less<>> metadata) {
  return std::make_shared<const RenamedWeights>(std::move(source), std::move(names), std::move(metadata));
}

}  // namespace refrain::diffusion
