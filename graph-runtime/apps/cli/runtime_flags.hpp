#pragma once
// Options that all subcommands with a runtime share.

#include <refrain/runtime.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace refrain::cli {

/// Filled in by the parser; options() after it.
struct RuntimeFlags {
  std::vector<std::filesystem::path> models;
  std::vector<std::filesystem::path> extra_model_paths;
  std::vector<std::filesystem::path> plugin_paths;
  std::filesystem::path input_directory = "input";
  std::filesystem::path output_directory = "output";
  std::filesystem::path temp_directory;
  std::string device = "cpu";
  std::string dtype = "auto";
  std::optional<std::uint64_t> cache_bytes;

  /// --plugin-path alone.
  void add_plugin_flags(CLI::App& command);
  /// Where files are: --models, --extra-model-paths-config, --input-directory, --plugin-path.
  void add_folder_flags(CLI::App& command);
  /// How to compute and where to write.
  void add_run_flags(CLI::App& command);

  /// With REFRAIN_MODELS, else ./models, where --models was not given, and the extra_model_paths.yaml beside each.
  RuntimeOptions options() const;
};

/// Which workflows: the positional files, and --set, whose help says when it takes effect.
void add_workflow_flags(CLI::App& command, std::vector<std::string>& files, std::vector<std::string>& settings,
                        const std::string& set_help);

}  // namespace refrain::cli
