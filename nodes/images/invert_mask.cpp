#include <refrain/plugin.hpp>

namespace {

using namespace refrain;

/// The other part of the picture.
class InvertMask final : public Node {
 public:
  static constexpr In<Mask> mask{"mask"};
  static constexpr Out<Mask> inverted{"MASK", "1 - mask"};

  static Schema schema() { return {"InvertMask", "mask", "Turns masks inside out.", {mask}, {inverted}}; }

  void run(Context& ctx) override { ctx.set(inverted, Mask{1.0 - ctx[mask].values}); }
};

}  // namespace

REFRAIN_NODE(InvertMask)
