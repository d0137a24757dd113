// schema() throws, in one of the ways there are: REFRAIN_TEST_THROW says which. Its first node is fine.
#include <refrain/plugin.hpp>

#include <c10/util/Exception.h>

namespace {

using namespace refrain;

class Fine final : public Node {
 public:
  static Schema schema() { return {"FineBesideThrowing", "test", "", {}, {}}; }
  void run(Context&) override {}
};

class Throwing final : public Node {
 public:
  static Schema schema() {
    REFRAIN_TEST_THROW;
    return {"Throwing", "test", "", {}, {}};
  }
  void run(Context&) override {}
};

}  // namespace

REFRAIN_PLUGIN("throwing", "1.0.0", Fine, Throwing)
