// What a graph costs beside its nodes' own work: reading, checking and running 10,000 nodes, and running them again.
// Goal: checking and running at most 2 ms together beside the nodes' own work (NodesAlone), so 200 ns a node; an
// unchanged second run below 1 ms.

#include <benchmark/benchmark.h>
#include <refrain/plugin.hpp>
#include <refrain/runtime.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "execution/in_process_registry.hpp"
#include "planning/execution_plan.hpp"

namespace {

using namespace refrain;

constexpr int kNodes = 10'000;

class Source final : public Node {
 public:
  static constexpr Param<std::int64_t> value{"value", 0};
  static constexpr Out<std::int64_t> result{"INT"};
  static Schema schema() { return {"Source", "bench", "", {value}, {result}}; }
  void run(Context& ctx) override { ctx.set(result, ctx[value]); }
};

class Sum final : public Node {
 public:
  static constexpr In<std::int64_t> a{"a"}, b{"b"};
  static constexpr Out<std::int64_t> result{"INT"};
  static Schema schema() { return {"Sum", "bench", "", {a, b}, {result}}; }
  void run(Context& ctx) override { ctx.set(result, ctx[a] + ctx[b]); }
};

class Sink final : public Node {
 public:
  static constexpr In<std::int64_t> value{"value"};
  static Schema schema() { return {"Sink", "bench", "", {value}, {}, Role::output}; }
  void run(Context& ctx) override { benchmark::DoNotOptimize(ctx[value]); }
};

enum Shape { kChain, kWide, kLayered };
constexpr const char* kShapeNames[] = {"chain", "wide", "layered"};

std::string node(int id, const std::string& type, const std::string& inputs) {
  return std::string("\"") + std::to_string(id) + "\": {\"class_type\": \"" + type + "\", \"inputs\": {" + inputs +
         "}}";
}
std::string link(const std::string& name, int from) {
  return std::string("\"") + name + "\": [\"" + std::to_string(from) + "\", 0]";
}

/// chain: each node reads its predecessor twice; wide: sources, each with a sink of its own; layered: 100 layers of 100
/// nodes, each reads two of the layer above. No two nodes are equal.
std::string workflow(Shape shape) {
  std::string text = "{";
  for (int i = 0; i < kNodes; ++i) {
    if (i > 0) text += ",\n";
    const bool source = shape == kChain ? i == 0 : shape == kWide ? i % 2 == 0 : i < 100;
    const bool sink = shape == kWide ? i % 2 == 1 : i == kNodes - 1;
    if (source)
      text += node(i, "Source", "\"value\": " + std::to_string(i));
    else if (sink)
      text += node(i, "Sink", link("value", i - 1));
    else if (shape == kChain)
      text += node(i, "Sum", link("a", i - 1) + ", " + link("b", i - 1));
    else
      text += node(i, "Sum", link("a", i - 100) + ", " + link("b", (i / 100 - 1) * 100 + (i * 7 + 1) % 100));
  }
  return text + "}";
}

Runtime& runtime() {
  static Runtime only({}, refrain::testing::in_process_registry<Source, Sum, Sink>());
  return only;
}

/// Sinks for all: the layered graph has one output only, which would leave most of it out.
std::string with_all_needed(Shape shape) {
  std::string text = workflow(shape);
  if (shape != kLayered) return text;
  text.pop_back();
  for (int i = 0; i < 99; ++i) text += ",\n" + node(kNodes + i, "Sink", link("value", kNodes - 100 + i));
  return text + "}";
}

void finish(benchmark::State& state, Shape shape, std::size_t nodes) {
  state.SetLabel(kShapeNames[shape]);
  state.counters["nodes"] = static_cast<double>(nodes);
  state.counters["ns/node"] = benchmark::Counter(
      static_cast<double>(nodes) * 1e-9, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

void Parse(benchmark::State& state) {
  const auto shape = static_cast<Shape>(state.range(0));
  const std::string text = with_all_needed(shape);
  for (auto _ : state) benchmark::DoNotOptimize(runtime().parse(text, "bench.json"));
  finish(state, shape, kNodes);
}

void Check(benchmark::State& state) {
  const auto shape = static_cast<Shape>(state.range(0));
  const std::string text = with_all_needed(shape);
  std::size_t nodes = 0;
  for (auto _ : state) {
    state.PauseTiming();
    Workflow read = runtime().parse(text, "bench.json");
    state.ResumeTiming();
    CheckedWorkflow checked = runtime().check(std::move(read));
    state.PauseTiming();
    nodes = checked.plan().nodes().size();
    checked = {};
    state.ResumeTiming();
  }
  finish(state, shape, nodes);
}

void Run(benchmark::State& state) {
  const auto shape = static_cast<Shape>(state.range(0));
  const CheckedWorkflow checked = runtime().check(runtime().parse(with_all_needed(shape), "bench.json"));
  for (auto _ : state) {
    benchmark::DoNotOptimize(runtime().run(checked));
    state.PauseTiming();
    runtime().clear_cache();
    state.ResumeTiming();
  }
  finish(state, shape, checked.plan().nodes().size());
}

void RunAgain(benchmark::State& state) {
  const auto shape = static_cast<Shape>(state.range(0));
  const CheckedWorkflow checked = runtime().check(runtime().parse(with_all_needed(shape), "bench.json"));
  runtime().run(checked);
  for (auto _ : state) benchmark::DoNotOptimize(runtime().run(checked));
  finish(state, shape, checked.plan().nodes().size());
}

/// What is judged: checking and the first run in one.
void CheckAndRun(benchmark::State& state) {
  const auto shape = static_cast<Shape>(state.range(0));
  const std::string text = with_all_needed(shape);
  std::size_t nodes = 0;
  for (auto _ : state) {
    state.PauseTiming();
    Workflow read = runtime().parse(text, "bench.json");
    state.ResumeTiming();
    CheckedWorkflow checked = runtime().check(std::move(read));
    RunReport report = runtime().run(checked);
    state.PauseTiming();
    nodes = report.nodes.size();
    runtime().clear_cache();
    report = {};
    checked = {};
    state.ResumeTiming();
  }
  finish(state, shape, nodes);
}

/// What the nodes themselves take, without a graph: 10,000 sums made, run on two values, and dropped. The goal for
/// checking and running is meant beside it.
void NodesAlone(benchmark::State& state) {
  const Schema schema = Sum::schema();
  const Value one = Value::make<std::int64_t>(1);
  const Slot inputs[] = {{Sum::a.name, {&one, 1}}, {Sum::b.name, {&one, 1}}};
  std::vector<std::vector<Value>> outputs(1);
  std::vector<Value> results(kNodes);
  Frame frame;
  frame.inputs = inputs;
  frame.outputs = &outputs;
  frame.schema = &schema;
  for (auto _ : state) {
    for (Value& result : results) {
      const std::unique_ptr<Node> node = std::make_unique<Sum>();
      Context context(frame);
      node->run(context);
      result = std::move(outputs[0][0]);
    }
    state.PauseTiming();
    for (Value& result : results) result = {};
    state.ResumeTiming();
  }
  state.counters["ns/node"] =
      benchmark::Counter(kNodes * 1e-9, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

#define REFRAIN_SHAPES(function) \
  BENCHMARK(function)->Arg(kChain)->Arg(kWide)->Arg(kLayered)->Unit(benchmark::kMicrosecond)
REFRAIN_SHAPES(Parse);
REFRAIN_SHAPES(Check);
REFRAIN_SHAPES(Run);
REFRAIN_SHAPES(RunAgain);
REFRAIN_SHAPES(CheckAndRun);
BENCHMARK(NodesAlone)->Unit(benchmark::kMicrosecond);

}  // namespace

BENCHMARK_MAIN();
