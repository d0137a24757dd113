// Built for something else (see the CMake file), and with code that would run when it is opened.
#include <refrain/plugin.hpp>

#include <cstdlib>

namespace {

using namespace refrain;

[[maybe_unused]] const int kRan = ::setenv("REFRAIN_TEST_INITIALISER_RAN", "1", 1);

class Elsewhere final : public Node {
 public:
  static Schema schema() { return {"Elsewhere", "test", "", {}, {}}; }
  void run(Context&) override {}
};

}  // namespace

REFRAIN_PLUGIN("elsewhere", "1.0.0", Elsewhere)
