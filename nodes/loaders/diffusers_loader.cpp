#include "files/annotated_file.hpp"
#include "load_options.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>

namespace {

using namespace refrain;

constexpr const char* kFolder = "diffusers";
constexpr const char* kIndex = "/model_index.json";

std::optional<std::filesystem::path> index_of(const Host& host, const std::string& folder) {
  try {
    return host.find_file(kFolder, folder + kIndex);
  } catch (const Error&) {  // a folder without one is no model
    return std::nullopt;
  }
}

/// The folders below models/diffusers with a model_index.json and weights in them.
Choices list_models(const Host& host) {
  std::set<std::string> seen;
  Choices found;
  for (const std::string& file : host.files_in(kFolder)) {
    for (std::filesystem::path at = std::filesystem::path(file).parent_path(); !at.empty(); at = at.parent_path()) {
      const std::string name = at.generic_string();
      if (seen.insert(name).second && index_of(host, name)) found.push_back(name);
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

/// The three parts of a model in a folder as diffusers saves it.
class DiffusersLoader final : public Node {
 public:
  static constexpr Choice model_path{"model_path", list_models, "the folder, below models/diffusers"};
  static constexpr Out<diffusion::Model> model{"MODEL", "the denoising network"};
  static constexpr Out<diffusion::Clip> clip{"CLIP", "the text encoder, for prompts"};
  static constexpr Out<diffusion::Vae> vae{"VAE", "the autoencoder between latents and pictures"};

  static Schema schema() {
    return {"DiffusersLoader",
            "advanced/loaders/deprecated",
            "Loads a model from a folder of diffusers.",
            {model_path},
            {model, clip, vae}};
  }

  Fingerprint fingerprint(const Literals& in) const override {
    const std::string* name = in[model_path];
    if (name == nullptr) return std::string();
    std::string stamps;
    for (const std::string& file : in.host().files_in(kFolder)) {
      if (file.starts_with(*name + "/")) stamps += file_mark(in.host().find_file(kFolder, file)) + "\n";
    }
    return stamps;
  }

  void run(Context& ctx) override {
    const std::filesystem::path index = ctx.host().find_file(kFolder, ctx[model_path] + kIndex);
    diffusion::Checkpoint loaded = diffusion::load_checkpoint(index.parent_path(), load_options(ctx));
    ctx.set(model, std::move(loaded.model));
    ctx.set(clip, std::move(loaded.clip));
    ctx.set(vae, std::move(loaded.vae));
  }
};

}  // namespace

REFRAIN_NODE(DiffusersLoader)
