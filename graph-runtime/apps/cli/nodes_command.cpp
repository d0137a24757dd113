#include <refrain/errors.hpp>
#include <refrain/runtime.hpp>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <memory>

#include "commands.hpp"
#include "console.hpp"
#include "exit_code.hpp"
#include "node_description.hpp"
#include "node_reference.hpp"
#include "planning/workflow_schema.hpp"
#include "plugins/registry.hpp"
#include "runtime_flags.hpp"

namespace refrain::cli {
namespace {

constexpr const char* kExamples = R"(
Examples:
  refrain nodes                             all of them, by category
  refrain nodes KSampler                    its inputs, limits, choices and outputs
  refrain nodes --json                      ComfyUI's /object_info
  refrain nodes --json KSampler VAEDecode   the same for these two
  refrain nodes --markdown                  the reference of docs/nodes.md
  refrain nodes --schema                    a JSON Schema of workflow files, for editors)";

struct NodesFlags {
  RuntimeFlags runtime;
  std::vector<std::string> names;
  bool json = false;
  bool markdown = false;
  bool schema = false;
};

void print_list(const Registry& registry) {
  std::vector<const NodeType*> types = registry.types();
  std::stable_sort(types.begin(), types.end(),
                   [](const NodeType* a, const NodeType* b) { return a->schema.category < b->schema.category; });
  std::size_t width = 0;
  for (const NodeType* type : types) {
    width = std::max(width, type->schema.name.size());
  }
  std::string_view category;
  for (const NodeType* type : types) {
    if (type->schema.category != category) {
      category = type->schema.category;
      fmt::print("{}\n", category);
    }
    fmt::print("  {:{}}  {}\n", type->schema.name, width, type->schema.help);
  }
}

/// All names that there are no types for, in one message.
void require_known(const Registry& registry, const std::vector<std::string>& names) {
  std::string unknown;
  for (const std::string& name : names) {
    if (registry.find(name) == nullptr) {
      unknown += fmt::format("{}\"{}\"", unknown.empty() ? "" : ", ", name);
    }
  }
  if (!unknown.empty()) {
    throw ValidationError("unknown_node",
                          fmt::format("there is no node {}; \"refrain nodes\" lists those that there are, "
                                      "\"refrain plugins\" the libraries that they come from",
                                      unknown));
  }
}

int show(const NodesFlags& flags) {
  const Runtime runtime(flags.runtime.options());
  warn_of_refused(runtime.plugins());
  require_known(runtime.registry(), flags.names);
  if (flags.schema) {
    fmt::print("{}", workflow_schema(runtime.registry(), runtime.host()));
  } else if (flags.markdown) {
    fmt::print("{}", node_reference(runtime.registry(), runtime.host()));
  } else if (flags.json) {
    fmt::print("{}\n", runtime.object_info(flags.names));
  } else if (flags.names.empty()) {
    print_list(runtime.registry());
  } else {
    for (const std::string& name : flags.names) {
      fmt::print("{}", describe_node(*runtime.registry().find(name), runtime.host()));
    }
  }
  return kDone;
}

}  // namespace

Action add_nodes_command(CLI::App& app) {
  auto flags = std::make_shared<NodesFlags>();
  CLI::App& command = *app.add_subcommand("nodes", "List the nodes, or show some of them in detail");
  command.footer(kExamples);
  command.add_option("name", flags->names, "Types of nodes, as in a workflow's class_type")->type_name("NODE");
  command.add_flag("--json", flags->json, "Print ComfyUI's /object_info map");
  CLI::Option* markdown =
      command.add_flag("--markdown", flags->markdown, "Print the reference of all nodes in Markdown");
  command.add_flag("--schema", flags->schema, "Print a JSON Schema of workflow files made of these nodes")
      ->excludes(markdown);
  flags->runtime.add_folder_flags(command);
  return [flags] { return show(*flags); };
}

}  // namespace refrain::cli
