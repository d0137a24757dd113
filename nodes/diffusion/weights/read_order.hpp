#pragma once
// In which order a file is best read ahead.

#include <refrain/diffusion/weights.hpp>

namespace refrain::diffusion {

/// Whether a tensor is wanted after loading only: convolutions are packed at their first use, for the size in use.
inline bool is_wanted_late(const TensorInfo& info) { return info.shape.size() == 4 && info.shape[2] > 1; }

}  // namespace refrain::diffusion
