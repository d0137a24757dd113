#include <refrain/runtime.hpp>

#include <refrain/errors.hpp>

#include <algorithm>
#include <array>

#include "execution/executor.hpp"
#include "execution/memory_guard.hpp"
#include "json/workflow_reader.hpp"
#include "planning/missing_inputs.hpp"
#include "planning/object_info.hpp"
#include "planning/set_input.hpp"
#include "planning/validator.hpp"
#include "plugins/loader.hpp"

namespace refrain {

namespace {

struct NamedType {
  std::string_view name;
  c10::ScalarType type;
};
constexpr std::array<NamedType, 6> kDtypes{{{"fp32", c10::ScalarType::Float},
                                            {"float32", c10::ScalarType::Float},
                                            {"bf16", c10::ScalarType::BFloat16},
                                            {"bfloat16", c10::ScalarType::BFloat16},
                                            {"fp16", c10::ScalarType::Half},
                                            {"float16", c10::ScalarType::Half}}};

c10::Device parse_device(const std::string& name) {
  try {
    return c10::Device(name);
  } catch (const c10::Error&) {
    throw ValidationError("unknown_device", "There is no device '" + name + "'. Give cpu, cuda or cuda:1.");
  }
}

/// On the CPU fp16 is a format of files only: there is no fast arithmetic for it.
c10::ScalarType parse_dtype(const std::string& name, c10::Device device) {
  if (name == "auto") return device.is_cpu() ? c10::ScalarType::Float : c10::ScalarType::Half;
  const auto found = std::find_if(kDtypes.begin(), kDtypes.end(), [&](const NamedType& t) { return t.name == name; });
  if (found == kDtypes.end())
    throw ValidationError("unknown_dtype", "There is no dtype '" + name + "'. Give auto, fp32, bf16 or fp16.");
  if (device.is_cpu() && found->type == c10::ScalarType::Half)
    throw ValidationError("unknown_dtype",
                          "The CPU does not compute in fp16. Give fp32 or bf16; fp16 files work with both.");
  return found->type;
}

RuntimeOptions with_defaults(RuntimeOptions options) {
  if (options.model_folders.empty()) options.model_folders = {"models"};
  if (options.input_directory.empty()) options.input_directory = "input";
  if (options.output_directory.empty()) options.output_directory = "output";
  if (options.temp_directory.empty()) options.temp_directory = "temp";
  return options;
}

RuntimeHost make_host(const RuntimeOptions& options) {
  const c10::Device device = parse_device(options.device);
  FileFolders::Roots roots{
      options.model_folders,  options.input_directory, options.output_directory, options.temp_directory, {},
      options.vocabulary_file};
  for (const std::filesystem::path& file : options.extra_model_paths) {
    for (ExtraModelFolder& folder : read_extra_model_paths(file)) roots.extra.push_back(std::move(folder));
  }
  FileFolders folders(std::move(roots));
  return {std::move(folders), device, parse_dtype(options.dtype, device)};
}

std::uint64_t cache_bytes(const RuntimeOptions& options) {
  constexpr std::uint64_t kWhereUnknown = std::uint64_t{2} << 30;
  if (options.cache_bytes) return *options.cache_bytes;
  const auto free = available_memory();
  return free ? *free / 2 : kWhereUnknown;
}

std::vector<PluginPlace> places(const RuntimeOptions& options) {
  std::vector<std::string> given;
  for (const std::filesystem::path& path : options.plugin_paths) given.push_back(path.string());
  std::vector<PluginPlace> found = plugin_places(given, this_executable());
  if (!options.standard_plugin_paths)
    std::erase_if(found, [](const PluginPlace& place) { return place.origin != "--plugin-path"; });
  return found;
}

std::vector<PluginStatus> statuses(const PluginReport& report) {
  std::vector<PluginStatus> all;
  for (const LoadedLibrary& library : report.loaded)
    all.push_back({library.file, true, library.name, library.version, library.nodes, {}, {}});
  for (const RefusedLibrary& library : report.refused)
    all.push_back({library.file, false, {}, {}, {}, library.code, library.message});
  return all;
}

}  // namespace

Workflow::Workflow(WorkflowGraph graph) : graph_(std::make_unique<WorkflowGraph>(std::move(graph))) {}
Workflow::Workflow(Workflow&&) noexcept = default;
Workflow& Workflow::operator=(Workflow&&) noexcept = default;
Workflow::~Workflow() = default;
void Workflow::set_ui_workflow(std::string json) { graph_->workflow_json = std::move(json); }

class Runtime::Impl {
 public:
  Impl(RuntimeOptions given, std::shared_ptr<const Registry> made)
      : options(with_defaults(std::move(given))),
        registry(std::move(made)),
        executor(make_host(options), cache_bytes(options)) {
    install_memory_guard();
    if (registry) return;
    auto loading = std::make_shared<Registry>();
    const std::vector<PluginPlace> searched = places(options);
    plugins = statuses(load_plugins(*loading, searched));
    registry = std::move(loading);
  }

  RuntimeOptions options;
  std::shared_ptr<const Registry> registry;
  std::vector<PluginStatus> plugins;
  Executor executor;
};

Runtime::Runtime(RuntimeOptions options) : Runtime(std::move(options), nullptr) {}
Runtime::Runtime(RuntimeOptions options, std::shared_ptr<const Registry> registry)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(registry))) {}
Runtime::~Runtime() = default;

const std::vector<PluginStatus>& Runtime::plugins() const { return impl_->plugins; }
const Registry& Runtime::registry() const { return *impl_->registry; }
const RuntimeOptions& Runtime::options() const { return impl_->options; }
const Host& Runtime::host() const { return impl_->executor.host(); }

Workflow Runtime::parse(std::string_view text, std::string source_name) const {
  return Workflow(parse_workflow(text, source_name));
}

void Runtime::set(Workflow& workflow, std::string_view target, std::string_view value) const {
  set_input(*workflow.graph_, impl_->registry.get(), target, value);
}

void Runtime::fill_in(Workflow& workflow) const { fill_in_missing_inputs(*workflow.graph_, *impl_->registry); }

CheckedWorkflow Runtime::check(Workflow workflow) const {
  std::shared_ptr<const WorkflowGraph> graph = std::move(workflow.graph_);
  ValidationResult result = Validator(*impl_->registry, impl_->executor.host()).validate(std::move(graph));
  CheckedWorkflow checked;
  checked.diagnostics_ = std::move(result.diagnostics);
  if (result.plan) checked.plan_ = std::make_shared<const ExecutionPlan>(std::move(*result.plan));
  return checked;
}

RunReport Runtime::run(const CheckedWorkflow& checked, const RunOptions& options) {
  if (!checked.runnable())
    throw ValidationError("not_runnable", "The workflow has errors; see the diagnostics of check().");
  return impl_->executor.run(checked.plan_, options);
}

std::string Runtime::object_info(std::span<const std::string> names) const {
  return refrain::object_info(*impl_->registry, impl_->executor.host(), names);
}

void Runtime::clear_cache() { impl_->executor.clear_cache(); }

}  // namespace refrain
