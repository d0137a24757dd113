#include "weights/merged.hpp"

#include "weights/quoted.hpp"

#include <ATen/core/Tensor.h>
#include <refrain/diffusion/error.hpp>

#include <cstddef>

namespace refrain::diffusion {
namespace {

class MergedWeights final : public WeightSource {
 public:
  MergedWeights(std::string name, std::map<std::string, std::string, std::less<>> metadata)
      : name_(std::move(name)), metadata_(std::move(metadata)) {}

  void add(const std::string& prefix, const std::shared_ptr<const WeightSource>& source) {
    for (const auto& [name, info] : source->tensors()) {
      const auto [place, fresh] = tensors_.emplace(prefix + name, info);
      if (!fresh) {
        throw ModelError("model_file_damaged",
                         name_ + ": two of its files hold a tensor " + in_quotes(place->first) + "; download it again");
      }
      origins_.emplace(place->first, Origin{source.get(), prefix.size()});
    }
    sources_.push_back(source);
  }

  const std::string& name() const override { return name_; }
  const std::map<std::string, TensorInfo, std::less<>>& tensors() const override { return tensors_; }
  const std::map<std::string, std::string, std::less<>>& metadata() const override { return metadata_; }
  at::Tensor tensor(std::string_view name) const override {
    const Origin origin = find(name);
    return origin.source->tensor(name.substr(origin.prefix));
  }
  void give_back(std::string_view name) const override {
    const Origin origin = find(name);
    origin.source->give_back(name.substr(origin.prefix));
  }
  void read_ahead() const override {
    for (const auto& source : sources_) source->read_ahead();
  }

 private:
  struct Origin {
    const WeightSource* source;
    std::size_t prefix;  ///< length of what comes before the tensor's own name
  };

  Origin find(std::string_view name) const {
    const auto place = origins_.find(name);
    if (place == origins_.end()) {
      throw ModelError("weight_missing", name_ + " has no tensor '" + std::string(name) + "'");
    }
    return place->second;
  }

  std::string name_;
  std::map<std::string, std::string, std::less<>> metadata_;
  std::map<std::string, TensorInfo, std::less<>> tensors_;
  std::map<std::string_view, Origin> origins_;  // by the names of tensors_
  std::vector<std::shared_ptr<const WeightSource>> sources_;
};

}  // namespace

std::shared_ptr<const WeightSource> merged_weights(
    std::string name, const std::vector<std::pair<std::string, std::shared_ptr<const WeightSource>>>& parts,
    std::map<std::string, std::string, std::less<>> metadata) {
  const auto merged = std::make_shared<MergedWeights>(std::move(name), std::move(metadata));
  for (const auto& [prefix, source] : parts) merged->add(prefix, source);
  return merged;
}

}  // namespace refrain::diffusion
