#include <refrain/plugin.hpp>

#include <refrain/diffusion/weights.hpp>

#include <fmt/format.h>
#include <algorithm>
#include <filesystem>

namespace {

using namespace refrain;

/// The factor that samplers of SD 1.x put on a latent; files without a version hold scaled values.
constexpr double kScaleOfUnversioned = 0.18215;

/// The .latent files that lie in the input folder itself, as ComfyUI lists them.
Choices latent_files(const Host& host) {
  Choices files = host.files_in("input");
  std::erase_if(files,
                [](const std::string& name) { return !name.ends_with(".latent") || name.find('/') != name.npos; });
  return files;
}

/// "x.latent [output]" lies in the output folder: the name and the folder's.
std::pair<std::string, std::string> split_annotation(std::string_view name) {
  for (const std::string_view folder : {"input", "output", "temp"}) {
    const std::string mark = fmt::format(" [{}]", folder);
    if (name.ends_with(mark)) {
      return {std::string(name.substr(0, name.size() - mark.size())), std::string(folder)};
    }
  }
  return {std::string(name), "input"};
}

std::filesystem::path find_latent(const Host& host, std::string_view annotated) {
  const auto [name, folder] = split_annotation(annotated);
  return host.find_file(folder, name);
}

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

  void validate(Literals& in) const override {
    const std::string* name = in[latent];
    if (name == nullptr) {
      return;
    }
    try {
      find_latent(in.host(), *name);
    } catch (const Error& error) {
      in.reject(latent, error.what());
    }
  }

  Fingerprint fingerprint(const Literals& in) const override {
    const std::string* name = in[latent];
    if (name == nullptr) {
      return kAlwaysRun;  // a name that comes over a link is not known yet
    }
    const std::filesystem::path file = find_latent(in.host(), *name);
    return fmt::format("{} {} {}", file.string(), std::filesystem::file_size(file),
                       std::filesystem::last_write_time(file).time_since_epoch().count());
  }

  void run(Context& ctx) override {
    const std::filesystem::path file = find_latent(ctx.host(), ctx[latent]);
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
