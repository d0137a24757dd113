#include <refrain/plugin.hpp>

namespace {

using namespace refrain;

class First final : public Node {
 public:
  static constexpr Out<std::string> name{"STRING"};
  static Schema schema() { return {"SeveralFirst", "test", "", {}, {name}}; }
  void run(Context& ctx) override { ctx.set(name, "first"); }
};

}  // namespace

REFRAIN_NODE(First)
