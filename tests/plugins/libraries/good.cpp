// A library in which nothing is wrong: it must load whatever lies beside it.
#include <refrain/plugin.hpp>

namespace {

using namespace refrain;

class GoodNode final : public Node {
 public:
  static constexpr Param<double> gain{"gain", 1.0, {0.0, 10.0, 0.01}};
  static constexpr Out<double> result{"FLOAT"};
  static Schema schema() { return {"GoodNode", "test", "Doubles.", {gain}, {result}}; }
  void run(Context& ctx) override { ctx.set(result, 2 * ctx[gain]); }
};

}  // namespace

REFRAIN_PLUGIN("good", "1.0.0", GoodNode)
