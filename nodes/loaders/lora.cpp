#include "lora.hpp"

#include <refrain/diffusion/weights.hpp>

#include <algorithm>
#include <string>

namespace refrain {

diffusion::LoraResult load_lora(Context& ctx, const std::filesystem::path& file,
                                const std::shared_ptr<const diffusion::Model>& model,
                                const std::shared_ptr<const diffusion::Clip>& clip,
                                const diffusion::LoraStrength& strength) {
  constexpr std::size_t kShown = 3;
  const auto source = diffusion::open_weights(file);
  diffusion::LoraResult result = diffusion::with_lora(model, clip, source, strength);
  if (!result.unused.empty()) {
    std::string line = file.filename().string() + ": " + std::to_string(result.unused.size()) + " of its " +
                       std::to_string(source->tensors().size()) + " tensors have no place in this model: ";
    for (std::size_t i = 0; i < std::min(kShown, result.unused.size()); ++i) {
      line += (i > 0 ? ", " : "") + result.unused[i].substr(0, 120);
    }
    if (result.unused.size() > kShown) line += ", ...";
    ctx.log(LogLevel::warning, line);
  }
  return result;
}

}  // namespace refrain
