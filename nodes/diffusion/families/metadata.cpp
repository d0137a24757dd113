#include "families/metadata.hpp"

#include <refrain/diffusion/error.hpp>

#include <charconv>

namespace refrain::diffusion {

std::optional<int> number_in_metadata(const WeightSource& source, const std::string& key) {
  const auto place = source.metadata().find(key);
  if (place == source.metadata().end()) return std::nullopt;
  const std::string& text = place->second;
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 1) {
    throw ModelError("model_config",
                     source.name() + ": the metadata '" + key + "' must be a whole number above 0, not '" + text + "'");
  }
  return number;
}

}  // namespace refrain::diffusion
