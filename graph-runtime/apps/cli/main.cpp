// refrain: runs ComfyUI workflow files without a server.

#include <CLI/CLI.hpp>

#include <utility>
#include <vector>

#include "commands.hpp"
#include "console.hpp"
#include "exit_code.hpp"
#include "version.hpp"

namespace {

using namespace refrain::cli;

constexpr const char* kFooter = R"(
Examples:
  refrain run workflows/default.json --set 3.seed=7
  refrain validate workflow.json
  refrain compare workflow.json --policy UniformCache:interval=5,depth=0
  refrain nodes KSampler

"refrain SUBCOMMAND --help" says more. Environment: REFRAIN_MODELS (model folders), REFRAIN_PLUGIN_PATH (node
libraries), REFRAIN_VOCABULARY (the tokenizer's vocabulary), NO_COLOR.)";

/// Help and version go to stdout with 0; anything wrong with the command line is invalid input.
int exit_for(const CLI::App& app, const CLI::ParseError& error) {
  if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) {
    return app.exit(error);
  }
  print_error(error.what());
  print_note("see refrain --help");
  return kInvalid;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Runs ComfyUI workflow files: nodes from shared libraries, no server, no browser, no Python.",
               "refrain"};
  app.set_version_flag("--version", std::string("refrain ") + kVersion);
  app.footer(kFooter);
  app.require_subcommand(1);
  const std::vector<std::pair<const char*, Action>> actions{{"run", add_run_command(app)},
                                                            {"compare", add_compare_command(app)},
                                                            {"validate", add_validate_command(app)},
                                                            {"nodes", add_nodes_command(app)},
                                                            {"models", add_models_command(app)},
                                                            {"plugins", add_plugins_command(app)},
                                                            {"completion", add_completion_command(app)},
                                                            {"version", add_version_command(app)}};
  try {
    app.parse(argc, argv);
    for (const auto& [name, action] : actions) {
      if (app.got_subcommand(name)) {
        return action();
      }
    }
  } catch (const CLI::ParseError& error) {
    return exit_for(app, error);
  } catch (...) {
    return report_exception();
  }
  return kInvalid;
}
