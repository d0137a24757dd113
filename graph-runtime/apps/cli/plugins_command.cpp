#include <refrain/runtime.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

#include <memory>

#include "commands.hpp"
#include "console.hpp"
#include "exit_code.hpp"
#include "runtime_flags.hpp"

namespace refrain::cli {
namespace {

constexpr const char* kExamples = R"(
Libraries are looked for in --plugin-path, $REFRAIN_PLUGIN_PATH, the user's folder (~/.local/share/refrain/nodes), the
system's, and beside the command, in this order. One that can't be used is listed with the reason and stops nothing.

Example:
  refrain plugins --plugin-path ./build/my_nodes.so)";

int list(const RuntimeFlags& flags) {
  const Runtime runtime(flags.options());
  for (const PluginStatus& plugin : runtime.plugins()) {
    if (plugin.loaded) {
      fmt::print("{} {}\n  from   {}\n  nodes  {}\n", plugin.name, plugin.version, plugin.file.string(),
                 fmt::join(plugin.nodes, ", "));
    } else {
      fmt::print("{}\n  from   {}\n  refused ({}): {}\n", plugin.name.empty() ? "?" : plugin.name, plugin.file.string(),
                 plugin.code, presentable(plugin.problem));
    }
  }
  return kDone;
}

}  // namespace

Action add_plugins_command(CLI::App& app) {
  auto flags = std::make_shared<RuntimeFlags>();
  CLI::App& command =
      *app.add_subcommand("plugins", "List the node libraries: what was loaded from where, and why not");
  command.footer(kExamples);
  flags->add_plugin_flags(command);
  return [flags] { return list(*flags); };
}

}  // namespace refrain::cli
