#include "nodes/node_runner.hpp"

#include <refrain/abi.hpp>
#include <refrain/errors.hpp>
#include <refrain/payloads.hpp>

#include <stdexcept>
#include <type_traits>
#include <variant>

#include "plugins/loader.hpp"

namespace refrain::testing {
namespace {

FileFolders::Roots roots_below(const std::filesystem::path& root, const std::filesystem::path& models) {
  FileFolders::Roots roots;
  roots.models = {root / "models"};
  if (!models.empty()) {
    roots.models.push_back(models);
  }
  roots.input = root / "input";
  roots.output = root / "output";
  roots.temp = root / "temp";
  roots.vocabulary = REFRAIN_TEST_VOCABULARY;
  for (const auto& folder : {roots.input, roots.output, roots.temp}) {
    std::filesystem::create_directories(folder);
  }
  return roots;
}

Value default_of(const Input& input, const Host& host) {
  if (input.choice && std::holds_alternative<std::monostate>(input.value)) {
    const Choices choices = input.list_choices(host);
    return choices.empty() ? Value() : text(choices.front());
  }
  return std::visit(
      [](const auto& literal) {
        using T = std::decay_t<decltype(literal)>;
        if constexpr (std::is_same_v<T, std::monostate>) {
          return Value();
        } else {
          return value<T>(literal);
        }
      },
      input.value);
}

Value hidden_value(const Input& input) {
  if (input.type.name == Prompt::kTypeName) return value(Prompt{R"({"1": {"class_type": "Test"}})"});
  if (input.type.name == ExtraPngInfo::kTypeName) return value(ExtraPngInfo{{{"workflow", R"({"nodes": []})"}}});
  return value(UniqueId{"1"});
}

}  // namespace

const Registry& built_nodes() {
  static const Registry* registry = [] {
    auto* loading = new Registry;
    PluginLoader loader(*loading);
    for (const char* name : {"loaders", "conditioning", "latents", "sampling", "caching", "images", "model_patches",
                             "reference", "values"}) {
      loader.load_file(std::filesystem::path(REFRAIN_TEST_NODE_LIBRARIES) / (std::string(name) + ".so"), true);
    }
    for (const RefusedLibrary& refused : loader.report().refused) {
      throw std::runtime_error(refused.message);
    }
    loading->seal();
    return loading;
  }();
  return *registry;
}

TestHost::TestHost(const std::filesystem::path& root, const std::filesystem::path& models)
    : RuntimeHost(FileFolders(roots_below(root, models)), c10::Device(c10::kCPU), c10::kFloat) {}

bool TestHost::cancelled() const {
  return cancel_after_steps >= 0 && static_cast<std::int64_t>(steps.size()) >= cancel_after_steps;
}

void TestHost::defer(std::function<void()> work) {
  if (defer_at_once) {
    work();
  } else {
    deferred.push_back(std::move(work));
  }
}

void TestHost::require_memory(std::uint64_t bytes, std::string_view what) const {
  if (bytes > free_bytes) {
    throw NodeError("out_of_memory", std::string(what));
  }
}

NodeRunner::NodeRunner() : host(folder.path(), REFRAIN_TEST_MODELS) {}

template <class Action>
void NodeRunner::call(std::string_view type, Inputs inputs, bool defaults, Action action, const Slot* list) {
  const NodeType* found = built_nodes().find(type);
  if (found == nullptr) {
    throw std::runtime_error("no node " + std::string(type));
  }
  for (const Input& input : found->schema.inputs) {
    if (defaults && !inputs.contains(input.name)) {
      if (Value given = input.hidden ? hidden_value(input) : default_of(input, host); given) {
        inputs.emplace(input.name, std::move(given));
      }
    }
  }
  std::vector<Slot> slots;
  for (const auto& [name, given] : inputs) {
    slots.push_back({name, {&given, 1}});
  }
  if (list != nullptr) slots.push_back(*list);
  ui.clear();
  report.clear();
  outputs_.assign(found->schema.outputs.size(), {});
  Frame frame{&host, slots, &outputs_, &found->schema, &ui, &report};
  const std::unique_ptr<Node, void (*)(Node*)> node(found->entry->create(), found->entry->destroy);
  action(*node, frame);
}

std::vector<Value> NodeRunner::run(std::string_view type, Inputs inputs) {
  call(type, std::move(inputs), true, [](Node& node, Frame& frame) {
    Context context(frame);
    node.run(context);
  });
  std::vector<Value> first;
  for (const std::vector<Value>& output : outputs_) {
    first.push_back(output.at(0));
  }
  return first;
}

std::vector<Value> NodeRunner::run_on_list(std::string_view type, const std::string& name,
                                           const std::vector<Value>& values, Inputs others) {
  const Slot list{name, values};
  const auto action = [](Node& node, Frame& frame) {
    Context context(frame);
    node.run(context);
  };
  call(type, std::move(others), true, action, &list);
  return outputs_.at(0);
}

std::vector<std::string> NodeRunner::validate(std::string_view type, Inputs inputs) {
  std::vector<std::string> problems;
  call(type, std::move(inputs), false, [&](Node& node, Frame& frame) {
    Literals literals(frame, &problems);
    node.validate(literals);
  });
  return problems;
}

Fingerprint NodeRunner::fingerprint(std::string_view type, Inputs inputs) {
  Fingerprint result;
  call(type, std::move(inputs), false, [&](Node& node, Frame& frame) {
    const Literals literals(frame, nullptr);
    result = node.fingerprint(literals);
  });
  return result;
}

}  // namespace refrain::testing
