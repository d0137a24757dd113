#include <refrain/plugin.hpp>

#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include <fmt/format.h>

#include <algorithm>

namespace {

using namespace refrain;

/// A picture with grey around it, and a mask of what is to be painted. Follows ComfyUI's node of that name.
class ImagePadForOutpaint final : public Node {
 public:
  static constexpr In<Image> image{"image"};
  static constexpr Param<std::int64_t> left{"left", 0, {0, 16384, 8}, "pixels to add there"};
  static constexpr Param<std::int64_t> top{"top", 0, {0, 16384, 8}, "pixels to add there"};
  static constexpr Param<std::int64_t> right{"right", 0, {0, 16384, 8}, "pixels to add there"};
  static constexpr Param<std::int64_t> bottom{"bottom", 0, {0, 16384, 8}, "pixels to add there"};
  static constexpr Param<std::int64_t> feathering{
      "feathering", 40, {0, 16384, 1}, "pixels over which the mask fades into the picture"};
  static constexpr Out<Image> padded{"IMAGE"};
  static constexpr Out<Mask> mask{"MASK", "[1, H, W]: 1 where there was nothing"};

  static Schema schema() {
    return Schema{"ImagePadForOutpaint",
                  "image",
                  "Adds room around pictures, to be painted.",
                  {image, left, top, right, bottom, feathering},
                  {padded, mask}}
        .titled("Pad Image for Outpainting");
  }

  void run(Context& ctx) override {
    const at::Tensor& from = ctx[image].pixels;
    const std::int64_t h = from.size(1), w = from.size(2);
    const std::int64_t height = h + ctx[top] + ctx[bottom], width = w + ctx[left] + ctx[right];
    ctx.require_memory(static_cast<std::uint64_t>(from.size(0) * height * width * from.size(3)) * sizeof(float),
                       fmt::format("padding pictures to {} x {} pixels", width, height));
    const auto inside = [&](const at::Tensor& whole) { return whole.narrow(1, ctx[top], h).narrow(2, ctx[left], w); };
    at::Tensor pixels = at::full({from.size(0), height, width, from.size(3)}, 0.5, at::kFloat);
    inside(pixels).copy_(from);
    at::Tensor values = at::ones({1, height, width});
    inside(values).copy_(faded(ctx, h, w));
    ctx.set(padded, Image{std::move(pixels)});
    ctx.set(mask, Mask{std::move(values)});
  }

 private:
  /// Over the picture itself, [h, w]: falling from 1 at the sides where room is added, with the square of the distance.
  static at::Tensor faded(const Context& ctx, std::int64_t h, std::int64_t w) {
    const std::int64_t reach = ctx[feathering];
    at::Tensor values = at::zeros({h, w});
    if (reach == 0 || reach * 2 >= h || reach * 2 >= w) return values;
    float* value = values.data_ptr<float>();
    for (std::int64_t y = 0; y < h; ++y) {
      for (std::int64_t x = 0; x < w; ++x, ++value) {
        const std::int64_t distance = std::min(
            {ctx[top] != 0 ? y : h, ctx[bottom] != 0 ? h - y : h, ctx[left] != 0 ? x : w, ctx[right] != 0 ? w - x : w});
        if (distance >= reach) continue;
        const double share = static_cast<double>(reach - distance) / static_cast<double>(reach);
        *value = static_cast<float>(share * share);
      }
    }
    return values;
  }
};

}  // namespace

REFRAIN_NODE(ImagePadForOutpaint)
