#include <refrain/plugin.hpp>

#include <refrain/diffusion/safetensors_writer.hpp>

#include <ATen/ops/empty.h>

#include "files/output_file.hpp"

namespace {

using namespace refrain;

/// Writes a latent as ComfyUI does: a safetensors file called .latent, the workflow in its metadata.
class SaveLatent final : public Node {
 public:
  static constexpr In<Latent> samples{"samples"};
  static constexpr Param<std::string> filename_prefix{"filename_prefix", "latents/ComfyUI"};
  static constexpr Hidden<Prompt> prompt{};
  static constexpr Hidden<ExtraPngInfo> extra_pnginfo{};

  static Schema schema() {
    return {"SaveLatent",
            "_for_testing",
            "Saves a latent to the output folder, for LoadLatent.",
            {samples, filename_prefix, prompt, extra_pnginfo},
            {},
            Role::output};
  }

  void run(Context& ctx) override {
    auto file = std::make_shared<PendingFile>(std::move(
        reserve_output_files(ctx.host().directory(Folder::output), {ctx[filename_prefix], ".latent"}).front()));
    ctx.show({file->name(), file->subfolder(), Folder::output}, "latents");

    diffusion::SafetensorsWriter::Metadata metadata{{"prompt", ctx[prompt].json}};
    for (const auto& [key, json] : ctx[extra_pnginfo].chunks) {
      metadata.insert_or_assign(key, json);
    }
    ctx.later([file, tensor = ctx[samples].samples, metadata = std::move(metadata)] {
      // The empty tensor says that the values are unscaled; files of older versions lack it.
      diffusion::write_safetensors(file->part(),
                                   {{"latent_format_version_0", at::empty({0})}, {"latent_tensor", tensor}}, metadata);
      file->commit();
    });
  }
};

}  // namespace

REFRAIN_NODE(SaveLatent)
