// Calls what nobody defines.
#include <refrain/plugin.hpp>

void refrain_test_defined_nowhere();

namespace {

using namespace refrain;

class Missing final : public Node {
 public:
  static Schema schema() { return {"Missing", "test", "", {}, {}}; }
  void run(Context&) override { refrain_test_defined_nowhere(); }
};

}  // namespace

REFRAIN_PLUGIN("missing_symbol", "1.0.0", Missing)
