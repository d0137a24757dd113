#include <refrain/plugin.hpp>

#include <refrain/diffusion/text.hpp>
#include <refrain/diffusion/weights.hpp>

#include <algorithm>
#include <filesystem>

namespace {

using namespace refrain;

/// The file of a textual inversion, below models/embeddings: by its name with or without the ending, in any folder, the
/// folder that the name gives first.
std::string inversion_file(const Host& host, const std::string& name) {
  const Choices files = host.files_in("embeddings");
  for (const bool anywhere : {false, true}) {
    for (const char* ending : {"", ".safetensors", ".pt", ".bin"}) {
      const std::string wanted = name + ending;
      const auto found = std::find_if(files.begin(), files.end(), [&](const std::string& file) {
        return anywhere ? std::filesystem::path(file).filename() == wanted : file == wanted;
      });
      if (found != files.end()) return *found;
    }
  }
  return {};
}

/// A prompt as the U-Net's cross-attention takes it.
class CLIPTextEncode final : public Node {
 public:
  static constexpr Param<std::string> text{
      "text", "", Text::multiline, "the prompt; (word:1.2) weighs a word, embedding:name is a textual inversion"};
  static constexpr In<diffusion::Clip> clip{"clip", "the text encoder"};
  static constexpr Out<Conditioning> conditioning{"CONDITIONING", "[1, 77 * chunks, width], with the pooled output"};

  static Schema schema() {
    Input prompt = Input(text).dynamic_prompts();
    prompt.value = std::monostate{};  // ComfyUI gives none: a workflow has to bring its prompt
    return Schema{"CLIPTextEncode",
                  "conditioning",
                  "Encodes a prompt with CLIP, for the sampler.",
                  {prompt, clip},
                  {conditioning}}
        .titled("CLIP Text Encode (Prompt)");
  }

  void run(Context& ctx) override {
    const diffusion::Clip& encoder = ctx[clip];
    const auto find = [&](const std::string& name) -> at::Tensor {
      const std::string file = inversion_file(ctx.host(), name);
      if (file.empty()) return {};
      const auto source = diffusion::open_weights(ctx.host().find_file("embeddings", file));
      return diffusion::inversion_vectors(*source, encoder.text_model->config().width);
    };
    diffusion::EncodedPrompt encoded = diffusion::encode_prompt(encoder, ctx[text], find);
    ctx.set(conditioning, Conditioning{{{encoded.cross_attention, encoded.pooled, {}}}});
  }
};

}  // namespace

REFRAIN_NODE(CLIPTextEncode)
