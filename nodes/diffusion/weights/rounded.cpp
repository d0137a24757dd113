#include "weights/rounded.hpp"

#include <utility>

namespace refrain::diffusion {
namespace {

class Rounded final : public WeightSource {
 public:
  Rounded(std::shared_ptr<const WeightSource> source, at::ScalarType dtype)
      : source_(std::move(source)), dtype_(dtype), tensors_(source_->tensors()) {
    for (auto& [name, info] : tensors_) {
      if (at::isFloatingType(info.dtype)) info.dtype = dtype_;
    }
  }

  const std::string& name() const override { return source_->name(); }
  const std::map<std::string, TensorInfo, std::less<>>& tensors() const override { return tensors_; }
  const std::map<std::string, std::string, std::less<>>& metadata() const override { return source_->metadata(); }
  at::Tensor tensor(std::string_view name) const override {
    at::Tensor stored = source_->tensor(name);
    if (!at::isFloatingType(stored.scalar_type()) || stored.scalar_type() == dtype_) return stored;
    at::Tensor rounded = stored.to(dtype_);
    source_->give_back(name);
    return rounded;
  }
  void give_back(std::string_view name) const override { source_->give_back(name); }
  void read_ahead() const override { source_->read_ahead(); }

 private:
  std::shared_ptr<const WeightSource> source_;
  at::ScalarType dtype_;
  std::map<std::string, TensorInfo, std::less<>> tensors_;
};

}  // namespace

std::shared_ptr<const WeightSource> rounded_to(std::shared_ptr<const WeightSource> source, at::ScalarType dtype) {
  return std::make_shared<const Rounded>(std::move(source), dtype);
}

std::shared_ptr<const WeightSource> rounded_to_half(std::shared_ptr<const WeightSource> source) {
  return rounded_to(std::move(source), at::kHalf);
}

}  // namespace refrain::diffusion
