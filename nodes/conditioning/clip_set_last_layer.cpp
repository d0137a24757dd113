#include <refrain/plugin.hpp>

#include <refrain/diffusion/model.hpp>

namespace {

using namespace refrain;

/// A text encoder that stops before its last layers ("clip skip"). The weights are shared with the one that goes in.
class CLIPSetLastLayer final : public Node {
 public:
  static constexpr In<diffusion::Clip> clip{"clip", "the text encoder"};
  static constexpr Param<std::int64_t> stop_at_clip_layer{
      "stop_at_clip_layer", -1, {-24, -1, 1}, "the last layer that runs: -1 is the last one, -2 the one before"};
  static constexpr Out<diffusion::Clip> stopped{"CLIP"};

  static Schema schema() {
    return Schema{"CLIPSetLastLayer",
                  "conditioning",
                  "Takes a prompt's tokens from a layer before the text encoder's last.",
                  {clip, stop_at_clip_layer},
                  {stopped}}
        .titled("CLIP Set Last Layer");
  }

  void run(Context& ctx) override {
    diffusion::Clip changed = ctx[clip];
    changed.last_layer = static_cast<int>(ctx[stop_at_clip_layer]);
    ctx.set(stopped, std::move(changed));
  }
};

}  // namespace

REFRAIN_NODE(CLIPSetLastLayer)
