#pragma once
// What the checkpoints of the families hold, at their own sizes and at small ones.

#include "layout_writer.hpp"

#include <refrain/diffusion/safetensors_writer.hpp>

#include <string>
#include <vector>

namespace refrain::diffusion {

/// Every floating-point tensor of an SD 1.x single file; position_ids (int64) is not among them.
Layout sd1_layout(const UNetConfig& unet, const ClipTextConfig& clip, const AutoencoderConfig& autoencoder);

/// What a random checkpoint is made of.
struct CheckpointPlan {
  Layout layout;
  SafetensorsWriter::Metadata metadata;  ///< what shapes don't tell
  int text_positions = 0;                ///< of position_ids; 0: the file has none
};

/// "sd1", "sd1-inpainting", "ldm4g", "ddpm" (LSUN's sizes) and "ddpm-cifar".
const std::vector<std::string>& checkpoint_families();

/// `full`: the published sizes; else the same structure, ten to thirty times smaller.
/// Throws ModelError for an unknown family.
CheckpointPlan plan_checkpoint(const std::string& family, bool full);

}  // namespace refrain::diffusion
