#include "weights/ema_weights.hpp"
#include "weights/file_format.hpp"
#include "weights/mapped_file.hpp"
#include "weights/safetensors.hpp"
#include "weights/torch_checkpoint.hpp"

#include <refrain/diffusion/error.hpp>
#include <refrain/diffusion/weights.hpp>

#include <system_error>
#include <utility>

namespace refrain::diffusion {
namespace {

/// ComfyUI's scaled float8 files need each weight multiplied by a number of its own, which isn't done here.
void refuse_scaled(const WeightSource& source) {
  for (const auto& [name, info] : source.tensors()) {
    if (!name.ends_with("scaled_fp8")) continue;
    throw ModelError("model_file_unsupported", source.name() +
                                                   " holds scaled float8 weights, which are not supported; "
                                                   "choose an fp16 or bf16 version of the model");
  }
}

}  // namespace

std::shared_ptr<const WeightSource> open_weights(const std::filesystem::path& path, const WeightOptions& options) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return open_diffusers_folder(path, options);
  auto file = std::make_shared<const MappedFile>(path);
  TorchCheckpoint opened;
  switch (recognise_format({file->data(), file->size()}, file->name())) {
    case FileFormat::safetensors: opened.source = open_safetensors(std::move(file)); break;
    case FileFormat::torch_zip: opened = open_torch_zip(std::move(file), options); break;
    case FileFormat::torch_legacy: opened = open_torch_legacy(std::move(file), options); break;
  }
  refuse_scaled(*opened.source);
  if (options.use_ema.value_or(false) && !opened.averaged) return averaged_weights(std::move(opened.source));
  return opened.source;
}

}  // namespace refrain::diffusion
