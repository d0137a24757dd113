#include <refrain/diffusion/weights.hpp>

#include <utility>

namespace refrain::diffusion {
namespace {

class RoundedToHalf final : public WeightSource {
 public:
  explicit RoundedToHalf(std::shared_ptr<const WeightSource> source)
      : source_(std::move(source)), tensors_(source_->tensors()) {
    for (auto& [name, info] : tensors_) {
      if (at::isFloatingType(info.dtype)) info.dtype = at::kHalf;
    }
  }

  const std::string& name() const override { return source_->name(); }
  const std::map<std::string, TensorInfo, std::less<>>& tensors() const override { return tensors_; }
  const std::map<std::string, std::string, std::less<>>& metadata() const override { return source_->metadata(); }
  at::Tensor tensor(std::string_view name) const override {
    at::Tensor stored = source_->tensor(name);
    if (!at::isFloatingType(stored.scalar_type()) || stored.scalar_type() == at::kHalf) return stored;
    at::Tensor rounded = stored.to(at::kHalf);
    source_->give_back(name);
    return rounded;
  }
  void give_back(std::string_view name) const override { source_->give_back(name); }
  void read_ahead() const override { source_->read_ahead(); }

 private:
  std::shared_ptr<const WeightSource> source_;
  std::map<std::string, TensorInfo, std::less<>> tensors_;
};

}  // namespace

std::shared_ptr<const WeightSource> rounded_to_half(std::shared_ptr<const WeightSource> source) {
  return std::make_shared<const RoundedToHalf>(std::move(source));
}

}  // namespace refrain::diffusion
