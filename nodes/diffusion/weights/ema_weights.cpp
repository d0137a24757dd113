#include "weights/ema_weights.hpp"

#include "weights/renamed.hpp"

#include <refrain/diffusion/error.hpp>

#include <algorithm>
#include <map>
#include <string>
#include <utility>

namespace refrain::diffusion {

std::shared_ptr<const WeightSource> averaged_weights(std::shared_ptr<const WeightSource> source) {
  const std::string model = "model.";
  const std::string average = "model_ema.";
  std::map<std::string, Renamed, std::less<>> names;
  bool found = false;
  for (const auto& [name, info] : source->tensors()) {
    if (is_average(name)) continue;
    std::string original = name;
    if (name.starts_with(model)) {
      std::string short_name = name.substr(model.size());
      std::erase(short_name, '.');
      const auto place = source->tensors().find(average + short_name);
      if (place != source->tensors().end() && place->second.shape == info.shape) {
        original = place->first;
        found = true;
      }
    }
    names.emplace(name, Renamed{std::move(original), {}});
  }
  if (!found) {
    throw ModelError("model_ema_missing",
                     source->name() + " holds no averaged (EMA) weights; load it without asking for them");
  }
  auto metadata = source->metadata();
  return renamed_weights(std::move(source), std::move(names), std::move(metadata));
}

}  // namespace refrain::diffusion
