#include <refrain/plugin.hpp>

#include <refrain/diffusion/weights.hpp>

#include <fmt/format.h>

#include <filesystem>

#include "files/annotated_file.hpp"

namespace {

using namespace refrain;

/// The factor that samplers of SD 1.x put on a latent; files without a version hold scaled values.
constexpr double kScaleOfUnversioned = 0.18215;

Choices latent_files(const Host& host) { return input_files(host, {".latent"}); }

/// Reads what SaveLatent wrote, here or in ComfyUI.
class LoadLatent final : public Node {
 public:
  static constexpr Choice latent{"latent", latent_files, "a .latent file in the input folder"};
  static constexpr Out<Latent> result{"LATENT", "float32 [N, C, h, w]"};

  static Schema schema() {
    return {"LoadLatent",
            "_for_testing",
            "Loads a latent that SaveLatent has written.",
            {Input(latent).check_in_node()},
            {result}};
  }

  void validate(Literals& in) const override { check_annotated(in, latent); }

  Fingerprint fingerprint(const Literals& in) const override { return mark_of_annotated(in, latent); }

  void run(Context& ctx) override {
    const std::filesystem::path file = find_annotated(ctx.host(), ctx[latent]);
    const auto source = diffusion::open_safetensors(file);
    const auto found = source->tensors().find("latent_tensor");
    if (found == source->tensors().end() || found->second.shape.size() != 4) {
      throw NodeError("latent.format", fmt::format("\"{}\" holds no latent_tensor of shape [N, C, h, w]; "
                                                   "give a file that SaveLatent has written",
                                                   file.string()));
    }
    // A copy: the file may change or go while the value lives.
    at::Tensor samples = source->tensor("latent_tensor").to(at::kFloat, /*non_blocking=*/false, /*copy=*/true);
    if (!source->tensors().contains("latent_format_version_0")) {
      samples.div_(kScaleOfUnversioned);
    }
    ctx.set(result, Latent{std::move(samples), {}, {}});
  }
};

}  // namespace

REFRAIN_NODE(LoadLatent)
