#include "execution/test_nodes.hpp"

#include <ATen/ops/empty.h>
#include <refrain/plugin.hpp>

#include <fstream>
#include <stdexcept>

#include "execution/in_process_registry.hpp"

namespace refrain::testing {

Journal& journal() {
  static Journal only;
  return only;
}

namespace {

using std::int64_t;

std::string text_of(const Value& value) {
  if (!value) return "nothing";
  if (value.type() == TypeOf<int64_t>::get()) return std::to_string(value.as<int64_t>());
  if (value.type() == TypeOf<std::string>::get()) return value.as<std::string>();
  if (value.type() == TypeOf<bool>::get()) return value.as<bool>() ? "true" : "false";
  return std::string(value.type().name);
}

class Number final : public Node {
 public:
  static constexpr Param<int64_t> value{"value", 0};
  static constexpr Out<int64_t> result{"INT"};
  static Schema schema() { return {"Number", "test", "", {Input{value}.make_optional()}, {result}}; }
  void run(Context& ctx) override {
    journal().write("Number " + std::to_string(ctx[value]));
    ctx.set(result, ctx[value]);
  }
};

class Add final : public Node {
 public:
  static constexpr Param<int64_t> a{"a", 0}, b{"b", 0};
  static constexpr Out<int64_t> result{"INT"};
  static Schema schema() { return {"Add", "test", "", {a, Input{b}.make_optional()}, {result}}; }
  void run(Context& ctx) override {
    journal().write("Add " + std::to_string(ctx[a]) + " " + std::to_string(ctx[b]));
    ctx.set(result, ctx[a] + ctx[b]);
  }
};

class Increment final : public Node {
 public:
  static constexpr In<int64_t> value{"value"};
  static constexpr Out<int64_t> result{"INT"};
  static Schema schema() { return {"Increment", "test", "", {value}, {result}}; }
  void run(Context& ctx) override { ctx.set(result, ctx[value] + 1); }
};

class Pair final : public Node {
 public:
  static constexpr Param<int64_t> value{"value", 0};
  static constexpr Out<int64_t> first{"first"}, second{"second"};
  static Schema schema() { return {"Pair", "test", "", {value}, {first, second}}; }
  void run(Context& ctx) override {
    journal().write("Pair");
    ctx.set(first, ctx[value]);
    ctx.set(second, ctx[value] + 1);
  }
};

class TextNode final : public Node {
 public:
  static constexpr Param<std::string> text{"text", ""};
  static constexpr Out<std::string> result{"STRING"};
  static Schema schema() { return {"Text", "test", "", {text}, {result}}; }
  void run(Context& ctx) override { ctx.set(result, ctx[text]); }
};

class Show final : public Node {
 public:
  static constexpr In<Any> value{"value"};
  static Schema schema() { return {"Show", "test", "", {value}, {}, Role::output}; }
  void run(Context& ctx) override {
    const std::string text = text_of(ctx[value]);
    journal().write("Show " + text);
    ctx.show_text(text);
  }
};

class Two final : public Node {
 public:
  static constexpr In<Any> a{"a"}, b{"b"};
  static Schema schema() { return {"Two", "test", "", {a, b}, {}, Role::output}; }
  void run(Context& ctx) override { journal().write("Two " + text_of(ctx[a]) + " " + text_of(ctx[b])); }
};

class Switch final : public Node {
 public:
  static constexpr Param<bool> pick{"pick", true};
  static constexpr In<Lazy<Any>> on_true{"on_true"}, on_false{"on_false"};
  static constexpr Out<Any> result{"value"};
  static Schema schema() { return {"Switch", "test", "", {pick, on_true, on_false}, {result}}; }
  Needs needs(const Context& ctx) const override { return ctx[pick] ? Needs(on_true) : Needs(on_false); }
  void run(Context& ctx) override {
    journal().write("Switch");
    ctx.set(result, ctx[pick] ? ctx[on_true] : ctx[on_false]);
  }
};

class Chain final : public Node {
 public:
  static constexpr In<Lazy<int64_t>> first{"first"}, second{"second"};
  static constexpr Out<int64_t> result{"INT"};
  static Schema schema() { return {"Chain", "test", "", {first, second}, {result}}; }
  static bool has(const Context& ctx, std::string_view name) {
    for (const Slot& slot : ctx.inputs())
      if (slot.name == name) return !slot.values.empty();
    return false;
  }
  Needs needs(const Context& ctx) const override {
    if (!has(ctx, "first")) return first;
    return ctx[first] > 0 ? Needs(first, second) : Needs(first);
  }
  void run(Context& ctx) override {
    journal().write(has(ctx, "second") ? "Chain both" : "Chain first");
    ctx.set(result, ctx[first]);
  }
};

class Spread final : public Node {
 public:
  static constexpr Param<int64_t> count{"count", 3};
  static constexpr Out<List<int64_t>> result{"INT"};
  static Schema schema() { return {"Spread", "test", "", {count}, {result}}; }
  void run(Context& ctx) override {
    for (int64_t i = 0; i < ctx[count]; ++i) ctx.add(result, i);
  }
};

class IsOdd final : public Node {
 public:
  static constexpr In<int64_t> value{"value"};
  static constexpr Out<bool> result{"BOOLEAN"};
  static Schema schema() { return {"IsOdd", "test", "", {value}, {result}}; }
  void run(Context& ctx) override { ctx.set(result, ctx[value] % 2 != 0); }
};

class SumAll final : public Node {
 public:
  static constexpr In<List<int64_t>> values{"values"};
  static constexpr Param<int64_t> plus{"plus", 0};
  static constexpr Out<int64_t> result{"INT"};
  static Schema schema() { return {"SumAll", "test", "", {values, Input{plus}.make_optional()}, {result}}; }
  void run(Context& ctx) override {
    int64_t sum = ctx[plus];
    for (const int64_t value : ctx[values]) sum += value;
    journal().write("SumAll of " + std::to_string(ctx[values].size()));
    ctx.set(result, sum);
  }
};

class Twice final : public Node {
 public:
  static constexpr In<int64_t> value{"value"};
  static constexpr Out<List<int64_t>> result{"INT"};
  static Schema schema() { return {"Twice", "test", "", {value}, {result}}; }
  void run(Context& ctx) override { ctx.set(result, {ctx[value], ctx[value]}); }
};

class Unforeseen {};  // no exception class

class Fail final : public Node {
 public:
  static constexpr Choice how{
      "how", {"node", "torch", "memory", "standard", "object", "cancelled", "huge", "unset", "memory_once"}};
  static constexpr In<Optional<Any>> value{"value"};
  static constexpr Out<int64_t> result{"INT"};
  static Schema schema() { return {"Fail", "test", "", {how, value}, {result}}; }
  void run(Context& ctx) override {
    const std::string& kind = ctx[how];
    journal().write("Fail " + kind);
    if (kind == "node") throw NodeError("test_failure", "this node fails");
    if (kind == "torch") at::empty({2, 2}).view({5});
    if (kind == "memory") throw std::bad_alloc();
    if (kind == "memory_once" && std::exchange(journal().short_of_memory, false)) throw std::bad_alloc();
    if (kind == "memory_once") ctx.set(result, 1);
    if (kind == "standard") throw std::out_of_range("beyond the end");
    if (kind == "object") throw Unforeseen();
    if (kind == "cancelled") throw Cancelled();
    if (kind == "huge") at::empty({int64_t{1} << 50});
    // "unset": gives no output
  }
};

class SumUndeclared final : public Node {
 public:
  static constexpr Out<int64_t> result{"INT"};
  static Schema schema() { return {"SumUndeclared", "test", "", {}, {result}}; }
  void run(Context& ctx) override {
    int64_t sum = 0;
    for (const Slot& slot : ctx.inputs()) sum += slot.values[0].as<int64_t>();
    ctx.set(result, sum);
  }
};

class ReadFile final : public Node {
 public:
  static constexpr Choice file{"file", FilesIn{"checkpoints"}};
  static constexpr Out<std::string> result{"STRING"};
  static Schema schema() { return {"ReadFile", "test", "", {file}, {result}}; }
  void run(Context& ctx) override {
    std::ifstream in(ctx.path(file));
    std::string word;
    in >> word;
    journal().write("ReadFile " + word);
    ctx.set(result, word);
  }
};

class Watched final : public Node {
 public:
  static constexpr Param<int64_t> value{"value", 0};
  static constexpr Out<int64_t> result{"INT"};
  static Schema schema() { return {"Watched", "test", "", {value}, {result}}; }
  Fingerprint fingerprint(const Literals& in) const override {
    if (journal().fingerprint == "always") return kAlwaysRun;
    if (journal().fingerprint == "throw") throw std::runtime_error("no fingerprint");
    return journal().fingerprint + (in[value] ? "literal" : "linked");
  }
  void run(Context& ctx) override {
    journal().write("Watched");
    ctx.set(result, ctx[value]);
  }
};

class WhoAmI final : public Node {
 public:
  static constexpr Hidden<UniqueId> id{};
  static constexpr Out<std::string> result{"STRING"};
  static Schema schema() { return {"WhoAmI", "test", "", {id}, {result}}; }
  void run(Context& ctx) override {
    journal().write("WhoAmI");
    ctx.set(result, ctx[id].id);
  }
};

template <bool kOutput>
class PromptReader final : public Node {
 public:
  static constexpr Hidden<Prompt> prompt{};
  static constexpr Hidden<ExtraPngInfo> extra{};
  static constexpr Out<std::string> result{"STRING"};
  static Schema schema() {
    return {kOutput ? "ShowPrompt" : "SeesPrompt",  "test", "", {prompt, extra}, {result},
            kOutput ? Role::output : Role::ordinary};
  }
  void run(Context& ctx) override {
    std::string text = ctx[prompt].json;
    for (const auto& [key, json] : ctx[extra].chunks) text += " " + key + "=" + json;
    journal().write(text);
    ctx.set(result, text);
  }
};
using SeesPrompt = PromptReader<false>;
using ShowPrompt = PromptReader<true>;

class NotTheSame final : public Node {
 public:
  static constexpr Param<int64_t> value{"value", 0};
  static constexpr Out<int64_t> result{"INT"};
  static Schema schema() { return Schema{"NotTheSame", "test", "", {value}, {result}}.mark_not_idempotent(); }
  void run(Context& ctx) override {
    journal().write("NotTheSame");
    ctx.set(result, ctx[value]);
  }
};

class StepsNode final : public Node {
 public:
  static constexpr Param<int64_t> count{"count", 3};
  static constexpr In<Optional<Any>> value{"value"};
  static Schema schema() { return {"Steps", "test", "", {Input{count}.make_optional(), value}, {}, Role::output}; }
  void run(Context& ctx) override {
    for (const auto step : ctx.steps(ctx[count])) {
      journal().write("step " + std::to_string(step));
      if (journal().on_step) journal().on_step(static_cast<int>(step));
    }
    ctx.log("all steps done");
  }
};

class Later final : public Node {
 public:
  static constexpr In<Any> value{"value"};
  static Schema schema() { return {"Later", "test", "", {value}, {}, Role::output}; }
  void run(Context& ctx) override {
    const Value kept = ctx[value];
    Host* host = &ctx.host();
    ctx.later([kept, host] {
      if (journal().deferred) journal().deferred();
      journal().write("later " + text_of(kept));
      host->log(LogLevel::info, "written");
    });
  }
};

class LaterPass final : public Node {
 public:
  static constexpr Param<int64_t> value{"value", 0};
  static constexpr Out<int64_t> result{"INT"};
  static Schema schema() { return {"LaterPass", "test", "", {value}, {result}}; }
  void run(Context& ctx) override {
    journal().write("LaterPass");
    ctx.later([] {
      if (journal().deferred) journal().deferred();
    });
    ctx.set(result, ctx[value]);
  }
};

/// A payload with much memory, of which its type tells.
struct Blob {
  static constexpr const char* kTypeName = "BLOB";
  std::shared_ptr<std::vector<char>> bytes;
  static void memory(const Blob& blob, MemoryBlocks& blocks) {
    blocks.emplace_back(blob.bytes.get(), blob.bytes->size());
  }
};

class MakeBlob final : public Node {
 public:
  static constexpr Param<int64_t> bytes{"bytes", 1 << 20}, seed{"seed", 0};
  static constexpr Out<Blob> result{"BLOB"};
  static Schema schema() { return {"Blob", "test", "", {bytes, Input{seed}.make_optional()}, {result}}; }
  void run(Context& ctx) override {
    journal().write("Blob " + std::to_string(ctx[seed]));
    ctx.set(result, Blob{std::make_shared<std::vector<char>>(static_cast<std::size_t>(ctx[bytes]))});
  }
};

/// Hands the same memory on in a payload of its own.
class ShareBlob final : public Node {
 public:
  static constexpr In<Blob> blob{"blob"};
  static constexpr Out<Blob> result{"BLOB"};
  static Schema schema() { return {"ShareBlob", "test", "", {blob}, {result}}; }
  void run(Context& ctx) override { ctx.set(result, Blob{ctx[blob].bytes}); }
};

class TensorNode final : public Node {
 public:
  static constexpr Param<int64_t> bytes{"bytes", 1 << 20};
  static constexpr Out<Image> result{"IMAGE"};
  static Schema schema() { return {"Tensor", "test", "", {bytes}, {result}}; }
  void run(Context& ctx) override { ctx.set(result, Image{at::empty({ctx[bytes] / 4})}); }
};

struct CountedObject {
  static constexpr const char* kTypeName = "COUNTED";
  CountedObject() { ++journal().alive; }
  ~CountedObject() { --journal().alive; }
  CountedObject(const CountedObject&) = delete;
};

class Counted final : public Node {
 public:
  static constexpr Param<int64_t> value{"value", 0};
  static constexpr Out<CountedObject> result{"COUNTED"};
  static Schema schema() { return Schema{"Counted", "test", "", {Input{value}.make_optional()}, {result}}; }
  Fingerprint fingerprint(const Literals&) const override { return kAlwaysRun; }  // so that no cache keeps it
  void run(Context& ctx) override { ctx.set(result, std::make_shared<const CountedObject>()); }
};

class UseCounted final : public Node {
 public:
  static constexpr In<CountedObject> counted{"counted"};
  static constexpr In<Optional<Any>> after{"after"};
  static constexpr Out<int64_t> result{"INT"};
  static Schema schema() { return {"UseCounted", "test", "", {counted, after}, {result}}; }
  void run(Context& ctx) override {
    journal().write("alive " + std::to_string(journal().alive.load()));
    ctx.set(result, 1);
  }
};

class Alive final : public Node {
 public:
  static constexpr In<int64_t> value{"value"};
  static Schema schema() { return {"Alive", "test", "", {value}, {}, Role::output}; }
  void run(Context&) override { journal().write("alive " + std::to_string(journal().alive.load())); }
};

class Reports final : public Node {
 public:
  static constexpr In<Any> value{"value"};
  static Schema schema() { return {"Reports", "test", "", {value}, {}, Role::output}; }
  void run(Context& ctx) override { ctx.report("numbers", "{\"macs\": 5}"); }
};

}  // namespace

std::shared_ptr<const Registry> test_registry() {
  static const std::shared_ptr<const Registry> registry =
      in_process_registry<Number, Add, Increment, Pair, TextNode, Show, Two, Switch, Chain, Spread, IsOdd, SumAll,
                          Twice, Fail, SumUndeclared, ReadFile, Watched, WhoAmI, SeesPrompt, ShowPrompt, NotTheSame,
                          StepsNode, Later, LaterPass, MakeBlob, ShareBlob, TensorNode, Counted, UseCounted, Alive,
                          Reports>();
  return registry;
}

std::unique_ptr<Runtime> make_runtime(RuntimeOptions options) {
  journal().clear();
  return std::make_unique<Runtime>(std::move(options), test_registry());
}

CheckedWorkflow check(const Runtime& runtime, std::string_view json) {
  CheckedWorkflow checked = runtime.check(runtime.parse(json, "test.json"));
  if (!checked.runnable())
    throw std::runtime_error("the test's workflow is invalid:\n" + render(checked.diagnostics()));
  return checked;
}

RunReport run(Runtime& runtime, std::string_view json, const RunOptions& options) {
  return runtime.run(check(runtime, json), options);
}

NodeOutcome outcome_of(const RunReport& report, std::string_view id) {
  for (std::size_t i = 0; i < report.nodes.size(); ++i)
    if (report.node(i).id == id) return report.nodes[i].outcome;
  throw std::runtime_error("the plan has no node " + std::string(id));
}

void RecordingObserver::cached(std::span<const NodeRef> nodes) {
  std::string event = "cached";
  for (const NodeRef& node : nodes) event += " " + std::string(node.id);
  add(event);
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += (text.empty() ? "" : "; ") + line;
  return text;
}

}  // namespace refrain::testing
