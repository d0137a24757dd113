#pragma once
// Names and shapes of the tensors in a single-file SD 1.x checkpoint.

#include <refrain/diffusion/autoencoder.hpp>
#include <refrain/diffusion/clip_text.hpp>
#include <refrain/diffusion/unet.hpp>
#include <refrain/diffusion/weights.hpp>

#include <functional>
#include <map>
#include <string>

namespace refrain::diffusion {

using Layout = std::map<std::string, std::vector<std::int64_t>, std::less<>>;

/// Every floating-point tensor of such a file; position_ids (int64) is not among them.
Layout sd1_layout(const UNetConfig& unet, const ClipTextConfig& clip, const AutoencoderConfig& autoencoder);

}  // namespace refrain::diffusion
