// A payload of a third party, in the layout that REFRAIN_TEST_LAYOUT says.
#include <refrain/plugin.hpp>

namespace {

using namespace refrain;

struct Depth {
  static constexpr const char* kTypeName = "ACME_DEPTH";
  static constexpr unsigned kTypeLayout = REFRAIN_TEST_LAYOUT;
  double metres[REFRAIN_TEST_LAYOUT] = {};
};

class MakeDepth final : public Node {
 public:
  static constexpr Out<Depth> depth{"depth"};
  static Schema schema() { return {REFRAIN_TEST_NODE, "test", "", {}, {depth}}; }
  void run(Context& ctx) override { ctx.set(depth, Depth{}); }
};

}  // namespace

REFRAIN_PLUGIN("depth", "1.0.0", MakeDepth)
