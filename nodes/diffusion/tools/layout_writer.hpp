#pragma once
// Names and shapes of the tensors of whole modules, for random checkpoints.

#include <refrain/diffusion/autoencoder.hpp>
#include <refrain/diffusion/clip_text.hpp>
#include <refrain/diffusion/unet.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace refrain::diffusion {

/// Name to shape of floating-point tensors.
using Layout = std::map<std::string, std::vector<std::int64_t>, std::less<>>;

/// Adds the tensors of layers to a layout, below a path ("" is the top of the file).
class LayoutWriter {
 public:
  explicit LayoutWriter(Layout& layout) : layout_(layout) {}

  void norm(const std::string& path, std::int64_t width) const;
  void linear(const std::string& path, std::int64_t in, std::int64_t out, bool bias = true) const;
  void conv(const std::string& path, std::int64_t in, std::int64_t out, std::int64_t kernel) const;
  void tensor(const std::string& path, std::vector<std::int64_t> shape) const;

 private:
  Layout& layout_;
};

void write_unet(const LayoutWriter& writer, const std::string& prefix, const UNetConfig& config);
void write_clip_text(const LayoutWriter& writer, const std::string& path, const ClipTextConfig& config);
/// A KL autoencoder, or a VQ one where the configuration has a codebook.
void write_autoencoder(const LayoutWriter& writer, const std::string& path, const AutoencoderConfig& config);

}  // namespace refrain::diffusion
