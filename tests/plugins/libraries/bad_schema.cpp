// A first node that is fine, and a second whose schema REFRAIN_TEST_SCHEMA spoils behind the compiler's back.
#include <refrain/plugin.hpp>

namespace {

using namespace refrain;

constexpr Param<double> kGain{"gain", 1.0, {0.0, 10.0}};
constexpr Param<double> kGainAgain{"gain", 2.0};

[[maybe_unused]] Input default_out_of_range() {
  Input input(kGain);
  input.value = 11.0;
  return input;
}

class Fine final : public Node {
 public:
  static Schema schema() { return {"FineBesideBad", "test", "", {}, {}}; }
  void run(Context&) override {}
};

class Bad final : public Node {
 public:
  static Schema schema() { return REFRAIN_TEST_SCHEMA; }
  void run(Context&) override {}
};

}  // namespace

REFRAIN_PLUGIN("bad_schema", "1.0.0", Fine, Bad)
