#include "files/annotated_file.hpp"
#include "load_options.hpp"

#include <refrain/diffusion/parts.hpp>

#include <algorithm>
#include <array>
#include <memory>

namespace {

using namespace refrain;

constexpr const char* kPixels = "pixel_space";
/// Small autoencoders for previews; each is listed where its two files are there.
constexpr std::array kTiny{"taesd", "taesdxl", "taesd3", "taef1"};

Choices list_vaes(const Host& host) {
  Choices choices = host.files_in("vae");
  const Choices approximate = host.files_in("vae_approx");
  const auto has = [&](const std::string& start) {
    return std::any_of(approximate.begin(), approximate.end(),
                       [&](const std::string& name) { return name.starts_with(start); });
  };
  for (const std::string name : kTiny) {
    if (has(name + "_encoder.") && has(name + "_decoder.")) choices.push_back(name);
  }
  choices.emplace_back(kPixels);
  return choices;
}

bool is_file(const std::string& name) {
  return name != kPixels && std::find(kTiny.begin(), kTiny.end(), name) == kTiny.end();
}

/// An autoencoder from a file of its own, or the one that changes nothing.
class VAELoader final : public Node {
 public:
  static constexpr Choice vae_name{"vae_name", list_vaes,
                                   "the file, below models/vae; pixel_space: latents are the pixels themselves"};
  static constexpr Out<diffusion::Vae> vae{"VAE", "the autoencoder between latents and pictures"};

  static Schema schema() {
    return Schema{"VAELoader", "loaders", "Loads an autoencoder from a file of its own.", {vae_name}, {vae}}.titled(
        "Load VAE");
  }

  Fingerprint fingerprint(const Literals& in) const override {
    const std::string* name = in[vae_name];
    return name != nullptr && is_file(*name) ? file_mark(in.host().find_file("vae", *name)) : std::string();
  }

  void run(Context& ctx) override {
    const std::string& name = ctx[vae_name];
    if (name == kPixels) {
      ctx.set(vae, diffusion::Vae{std::make_shared<const diffusion::PixelAutoencoder>(), 0});
    } else if (is_file(name)) {
      ctx.set(vae, diffusion::load_autoencoder(ctx.host().find_file("vae", name), load_options(ctx)));
    } else {
      throw NodeError("vae_unsupported", "the small autoencoder \"" + name +
                                             "\" is not supported; choose the file of a full one below models/vae");
    }
  }
};

}  // namespace

REFRAIN_NODE(VAELoader)
