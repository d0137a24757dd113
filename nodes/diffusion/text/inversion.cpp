// Files of textual inversions: one tensor of vectors under a name that depends on who wrote it. Follows
// comfy/sd1_clip.py (load_embed).

#include <ATen/ops/cat.h>
#include <refrain/diffusion/error.hpp>
#include <refrain/diffusion/text.hpp>

namespace refrain::diffusion {

at::Tensor inversion_vectors(const WeightSource& file, std::int64_t width) {
  constexpr std::string_view kOfSd1 = "clip_l", kOfWebUi = "string_to_param";
  std::string chosen;
  for (const auto& [name, info] : file.tensors()) {
    if (info.shape.empty() || info.shape.back() != width) continue;
    if (chosen.empty() || name == kOfSd1 || name.find(kOfWebUi) != name.npos) chosen = name;
  }
  if (chosen.empty()) {
    throw ModelError("no_inversion_vectors", "\"" + file.name() + "\" holds no vectors of " + std::to_string(width) +
                                                 ": it is no textual inversion for this model");
  }
  return file.tensor(chosen).to(at::kFloat, false, /*copy=*/true).reshape({-1, width});
}

}  // namespace refrain::diffusion
