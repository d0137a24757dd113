#include <refrain/plugin.hpp>

namespace {

using namespace refrain;

class Second final : public Node {
 public:
  static constexpr Out<std::string> name{"STRING"};
  static Schema schema() { return {"SeveralSecond", "test", "", {}, {name}}; }
  void run(Context& ctx) override { ctx.set(name, "second"); }
};

}  // namespace

REFRAIN_NODE(Second)
