#include "load_options.hpp"

namespace {

using namespace refrain;

/// The three parts of a single-file checkpoint.
class CheckpointLoaderSimple final : public Node {
 public:
  static constexpr Choice ckpt_name{"ckpt_name", FilesIn{"checkpoints"}, "the file, below models/checkpoints"};
  static constexpr Out<diffusion::Model> model{"MODEL", "the denoising network"};
  static constexpr Out<diffusion::Clip> clip{"CLIP", "the text encoder, for prompts"};
  static constexpr Out<diffusion::Vae> vae{"VAE", "the autoencoder between latents and pictures"};

  static Schema schema() {
    return Schema{"CheckpointLoaderSimple",
                  "loaders",
                  "Loads a checkpoint: U-Net, text encoder and autoencoder from one file.",
                  {ckpt_name},
                  {model, clip, vae}}
        .titled("Load Checkpoint");
  }

  void run(Context& ctx) override {
    diffusion::Checkpoint loaded = diffusion::load_checkpoint(ctx.path(ckpt_name), load_options(ctx));
    ctx.set(model, std::move(loaded.model));
    ctx.set(clip, std::move(loaded.clip));
    ctx.set(vae, std::move(loaded.vae));
  }
};

}  // namespace

REFRAIN_NODE(CheckpointLoaderSimple)
