#pragma once
// The parts of an SD 1.x model, made of a source in the names of CompVis' checkpoints.

#include <refrain/diffusion/model.hpp>
#include <refrain/diffusion/weights.hpp>

#include <memory>
#include <string>

namespace refrain::diffusion::sd1 {

std::shared_ptr<const Model> make_model(const UNetConfig& config, int sample_size,
                                        const std::shared_ptr<const WeightSource>& source, const Placement& placement);
/// The encoder below `prefix`. ComfyUI holds a text encoder in float16 and computes in float32, on every device
/// (comfy/model_management.py, text_encoder_dtype; comfy/sd1_clip.py).
std::shared_ptr<const Clip> make_clip(const ClipTextConfig& config, const std::string& prefix,
                                      const std::shared_ptr<const WeightSource>& source, const LoadOptions& options);
std::shared_ptr<const Vae> make_vae(const AutoencoderConfig& config, const std::shared_ptr<const WeightSource>& source,
                                    const LoadOptions& options);

}  // namespace refrain::diffusion::sd1
