#include "load_options.hpp"

#include <refrain/diffusion/parts.hpp>

namespace {

using namespace refrain;

/// A text encoder from a file of its own.
class CLIPLoader final : public Node {
 public:
  static constexpr Choice clip_name{"clip_name", FilesIn{"text_encoders"},
                                    "the file, below models/text_encoders or models/clip"};
  static constexpr Choice type{
      "type",
      {"stable_diffusion", "stable_cascade", "sd3", "stable_audio", "mochi", "ltxv", "pixart", "cosmos", "lumina2",
       "wan", "hidream", "chroma", "ace", "omnigen2", "qwen_image", "hunyuan_image"},
      "what the encoder is for; only stable_diffusion (CLIP ViT-L/14) is supported"};
  static constexpr Choice device{"device", {"default", "cpu"}, "where it computes: where the run does, or on the CPU"};
  static constexpr Out<diffusion::Clip> clip{"CLIP", "the text encoder, for prompts"};

  static Schema schema() {
    Input place(device);
    place.make_optional().option("advanced", true);
    return Schema{"CLIPLoader",
                  "advanced/loaders",
                  "Loads a text encoder from a file of its own. stable_diffusion: CLIP ViT-L/14.",
                  {clip_name, type, place},
                  {clip}}
        .titled("Load CLIP");
  }

  void validate(Literals& in) const override {
    const std::string* wanted = in[type];
    if (wanted != nullptr && *wanted != kSupported) in.reject(type, unsupported(*wanted));
  }

  void run(Context& ctx) override {
    if (ctx[type] != kSupported) throw NodeError("clip_unsupported", "input type: " + unsupported(ctx[type]));
    diffusion::LoadOptions options = load_options(ctx);
    if (ctx[device] == "cpu") options.placement = {c10::Device(c10::kCPU), c10::kFloat};
    ctx.set(clip, diffusion::load_text_encoder(ctx.path(clip_name), options));
  }

 private:
  static constexpr const char* kSupported = "stable_diffusion";
  static std::string unsupported(const std::string& type) {
    return "text encoders for \"" + type + "\" are not supported; choose stable_diffusion with a file of CLIP ViT-L/14";
  }
};

}  // namespace

REFRAIN_NODE(CLIPLoader)
