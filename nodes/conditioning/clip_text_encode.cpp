#include <refrain/plugin.hpp>

#include <refrain/diffusion/text.hpp>

namespace {

using namespace refrain;

/// A prompt as the U-Net's cross-attention takes it.
class CLIPTextEncode final : public Node {
 public:
  static constexpr Param<std::string> text{"text", "", Text::multiline, "the prompt; (word:1.2) weighs a word"};
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
    diffusion::EncodedPrompt encoded = diffusion::encode_prompt(ctx[clip], ctx[text]);
    ctx.set(conditioning, Conditioning{{{encoded.cross_attention, encoded.pooled, {}}}});
  }
};

}  // namespace

REFRAIN_NODE(CLIPTextEncode)
