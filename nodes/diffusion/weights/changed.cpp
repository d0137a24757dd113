#include <refrain/diffusion/weights.hpp>

#include <utility>

namespace refrain::diffusion {
namespace {

class ChangedWeights final : public WeightSource {
 public:
  ChangedWeights(std::shared_ptr<const WeightSource> source, std::map<std::string, WeightChange, std::less<>> changes)
      : source_(std::move(source)), changes_(std::move(changes)), tensors_(source_->tensors()) {
    for (const auto& [name, change] : changes_) tensors_.at(name).dtype = at::kFloat;
  }

  const std::string& name() const override { return source_->name(); }
  const std::map<std::string, TensorInfo, std::less<>>& tensors() const override { return tensors_; }
  const std::map<std::string, std::string, std::less<>>& metadata() const override { return source_->metadata(); }
  at::Tensor tensor(std::string_view name) const override {
    const auto change = changes_.find(name);
    at::Tensor stored = source_->tensor(name);
    if (change == changes_.end()) return stored;
    at::Tensor weight = stored.to(at::kFloat, /*non_blocking=*/false, /*copy=*/true);
    stored.reset();
    source_->give_back(name);
    return change->second(std::move(weight));
  }
  void give_back(std::string_view name) const override {
    if (!changes_.contains(name)) source_->give_back(name);
  }
  void read_ahead() const override { source_->read_ahead(); }

 private:
  std::shared_ptr<const WeightSource> source_;
  std::map<std::string, WeightChange, std::less<>> changes_;
  std::map<std::string, TensorInfo, std::less<>> tensors_;
};

}  // namespace

std::shared_ptr<const WeightSource> changed_weights(std::shared_ptr<const WeightSource> source,
                                                    std::map<std::string, WeightChange, std::less<>> changes) {
  return std::make_shared<const ChangedWeights>(std::move(source), std::move(changes));
}

}  // namespace refrain::diffusion
