#include "runtime_flags.hpp"

#include <CLI/CLI.hpp>

#include <cstdlib>
#include <sstream>

namespace refrain::cli {

void RuntimeFlags::add_plugin_flags(CLI::App& command) {
  command.add_option("--plugin-path", plugin_paths, "A folder of node libraries, or one library; may be repeated")
      ->type_name("PATH")
      ->allow_extra_args(false);
}

void RuntimeFlags::add_folder_flags(CLI::App& command) {
  command
      .add_option("--models", models,
                  "A folder laid out as ComfyUI's models (checkpoints, ...); may be repeated.\n"
                  "Default: $REFRAIN_MODELS, else ./models")
      ->type_name("FOLDER")
      ->allow_extra_args(false);
  command
      .add_option("--extra-model-paths-config", extra_model_paths,
                  "A file like ComfyUI's extra_model_paths.yaml; may be repeated.\n"
                  "One that stands beside a models folder is read anyway")
      ->type_name("FILE")
      ->allow_extra_args(false);
  command.add_option("--input-directory", input_directory, "Where nodes read from")
      ->type_name("FOLDER")
      ->capture_default_str();
  add_plugin_flags(command);
}

void RuntimeFlags::add_run_flags(CLI::App& command) {
  command.add_option("--output-directory", output_directory, "Where pictures go")
      ->type_name("FOLDER")
      ->capture_default_str();
  command.add_option("--temp-directory", temp_directory, "Where previews go; default ./temp")->type_name("FOLDER");
  command.add_option("--device", device, "cpu, cuda or cuda:N")
      ->check([](const std::string& text) {
        const bool good = text == "cpu" || text == "cuda" ||
                          (text.starts_with("cuda:") && text.size() > 5 && text.size() < 9 &&
                           text.find_first_not_of("0123456789", 5) == std::string::npos);
        return good ? std::string() : "\"" + text + "\" is no device: cpu, cuda or cuda:N";
      })
      ->type_name("DEVICE")
      ->capture_default_str();
  command.add_option("--dtype", dtype, "What networks compute in: auto, fp32, bf16 or fp16")
      ->check(CLI::IsMember({"auto", "fp32", "bf16", "fp16"}).description(""))
      ->type_name("TYPE")
      ->capture_default_str();
  command
      .add_option("--cache-bytes", cache_bytes,
                  "Memory for results that later workflows of the same command may reuse:\n"
                  "bytes, or a number with K, M or G (of 1024)")
      ->transform(CLI::AsSizeValue(false).description(""))
      ->type_name("BYTES")
      ->default_str("half of the free memory");
}

RuntimeOptions RuntimeFlags::options() const {
  RuntimeOptions options;
  options.plugin_paths = plugin_paths;
  options.model_folders = models;
  if (const char* roots = std::getenv("REFRAIN_MODELS"); models.empty() && roots != nullptr) {
    std::istringstream list(roots);
    for (std::string root; std::getline(list, root, ':');) {
      if (!root.empty()) {
        options.model_folders.emplace_back(root);
      }
    }
  }
  if (options.model_folders.empty()) {
    options.model_folders.emplace_back("models");
  }
  // ComfyUI has the file beside its models folder.
  for (const std::filesystem::path& folder : options.model_folders) {
    const std::filesystem::path beside = (folder / "..").lexically_normal() / "extra_model_paths.yaml";
    if (std::filesystem::is_regular_file(beside)) options.extra_model_paths.push_back(beside);
  }
  options.extra_model_paths.insert(options.extra_model_paths.end(), extra_model_paths.begin(), extra_model_paths.end());
  options.input_directory = input_directory;
  options.output_directory = output_directory;
  options.temp_directory = temp_directory;
  options.device = device;
  options.dtype = dtype;
  options.cache_bytes = cache_bytes;
  return options;
}

void add_workflow_flags(CLI::App& command, std::vector<std::string>& files, std::vector<std::string>& settings,
                        const std::string& set_help) {
  command
      .add_option("workflow", files, "Files in ComfyUI's API format, pictures that carry one, or - for standard input")
      ->required()
      ->type_name("FILE");
  command.add_option("--set", settings, set_help)->type_name("NODE.INPUT=VALUE")->allow_extra_args(false);
}

}  // namespace refrain::cli
