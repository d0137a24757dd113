#pragma once
// The subcommands, one file each. Adding one declares its options; what comes back does its work after parsing.

#include <functional>

namespace CLI {
class App;
}

namespace refrain::cli {

using Action = std::function<int()>;

Action add_run_command(CLI::App& command);
Action add_compare_command(CLI::App& command);
Action add_validate_command(CLI::App& command);
Action add_nodes_command(CLI::App& command);
Action add_plugins_command(CLI::App& command);
Action add_models_command(CLI::App& command);
Action add_completion_command(CLI::App& command);
Action add_version_command(CLI::App& command);

}  // namespace refrain::cli
