#pragma once
#include <refrain/diffusion/weights.hpp>

#include <string>

namespace refrain::diffusion {

/// What a file that is no checkpoint of a known family looks like: "it looks like a LoRA (an add-on ...)". For
/// messages.
std::string describe_layout(const WeightSource& source);

}  // namespace refrain::diffusion
