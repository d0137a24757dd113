#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <refrain/abi.hpp>

#include "commands.hpp"
#include "exit_code.hpp"
#include "version.hpp"

namespace refrain::cli {

Action add_version_command(CLI::App& app) {
  app.add_subcommand("version", "Print the versions of refrain, its plugin ABI and libtorch");
  return [] {
    fmt::print("refrain {}\nplugin ABI {}\nlibtorch {}\n", kVersion, REFRAIN_ABI_VERSION, TORCH_VERSION);
    return static_cast<int>(kDone);
  };
}

}  // namespace refrain::cli
