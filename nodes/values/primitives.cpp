// Values that stand alone in a workflow, so that several nodes can share one.

#include <refrain/plugin.hpp>

#include <limits>

namespace {

using namespace refrain;

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

/// ComfyUI gives these no default: a workflow has to bring its value.
Input required(Input input) {
  input.value = std::monostate{};
  return input;
}

/// An integer.
class PrimitiveInt final : public Node {
 public:
  static constexpr Param<std::int64_t> value{"value", 0, {-kMost, kMost}};
  static constexpr Out<std::int64_t> result{"INT"};

  static Schema schema() {
    Input number = required(Input(value).control_after_generate());
    number.max = kMost;  // said, although every INT is below it: ComfyUI says it
    return Schema{"PrimitiveInt", "utils/primitive", "An integer.", {number}, {result}}.titled("Int");
  }

  void run(Context& ctx) override { ctx.set(result, ctx[value]); }
};

/// A number.
class PrimitiveFloat final : public Node {
 public:
  static constexpr Param<double> value{"value", 0, {-static_cast<double>(kMost), static_cast<double>(kMost)}};
  static constexpr Out<double> result{"FLOAT"};

  static Schema schema() {
    return Schema{"PrimitiveFloat", "utils/primitive", "A number.", {required(value)}, {result}}.titled("Float");
  }

  void run(Context& ctx) override { ctx.set(result, ctx[value]); }
};

/// A text.
class PrimitiveString final : public Node {
 public:
  static constexpr Param<std::string> value{"value", ""};
  static constexpr Out<std::string> result{"STRING"};

  static Schema schema() {
    return Schema{
        "PrimitiveString", "utils/primitive", "A text.", {required(Input(value).option("multiline", false))}, {result}}
        .titled("String");
  }

  void run(Context& ctx) override { ctx.set(result, ctx[value]); }
};

/// A switch.
class PrimitiveBoolean final : public Node {
 public:
  static constexpr Param<bool> value{"value", false};
  static constexpr Out<bool> result{"BOOLEAN"};

  static Schema schema() {
    return Schema{"PrimitiveBoolean", "utils/primitive", "A switch.", {required(value)}, {result}}.titled("Boolean");
  }

  void run(Context& ctx) override { ctx.set(result, ctx[value]); }
};

}  // namespace

REFRAIN_PLUGIN("values", "1.0.0", PrimitiveInt, PrimitiveFloat, PrimitiveString, PrimitiveBoolean)
