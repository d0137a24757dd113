#include <refrain/runtime.hpp>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <memory>

#include "commands.hpp"
#include "completion_script.hpp"
#include "exit_code.hpp"
#include "plugins/registry.hpp"
#include "runtime_flags.hpp"

namespace refrain::cli {
namespace {

constexpr const char* kExamples = R"(
To have it from the next shell on:
  refrain completion bash > ~/.local/share/bash-completion/completions/refrain
  refrain completion zsh > "${fpath[1]}/_refrain"
  refrain completion fish > ~/.config/fish/completions/refrain.fish

For this shell only, in bash:  source <(refrain completion bash))";

struct CompletionFlags {
  RuntimeFlags runtime;
  std::string what;
};

/// The names that the scripts ask for while somebody types.
void print_names(const CompletionFlags& flags) {
  const Runtime runtime(flags.runtime.options());
  for (const NodeType* type : runtime.registry().types()) {
    const auto gives = [&](std::string_view name) {
      for (const Output& output : type->schema.outputs) {
        if (output.type.name == name) return true;
      }
      return false;
    };
    if (flags.what == "nodes" || gives("CACHE_POLICY")) fmt::print("{}\n", type->schema.name);
  }
}

}  // namespace

Action add_completion_command(CLI::App& app) {
  auto flags = std::make_shared<CompletionFlags>();
  CLI::App& command = *app.add_subcommand("completion", "Print a script that completes this command in a shell");
  command.footer(kExamples);
  command.add_option("shell", flags->what, "bash, zsh or fish; nodes or policies: the names that the scripts offer")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish", "nodes", "policies"}).description(""))
      ->type_name("SHELL");
  flags->runtime.add_plugin_flags(command);
  return [flags, &app] {
    if (flags->what == "nodes" || flags->what == "policies") {
      print_names(*flags);
    } else {
      fmt::print("{}", completion_script(app, flags->what));
    }
    return static_cast<int>(kDone);
  };
}

}  // namespace refrain::cli
