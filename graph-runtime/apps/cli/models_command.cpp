#include <refrain/errors.hpp>
#include <refrain/host.hpp>
#include <refrain/runtime.hpp>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <memory>

#include "commands.hpp"
#include "console.hpp"
#include "exit_code.hpp"
#include "json/json_writer.hpp"
#include "model_file.hpp"
#include "runtime_flags.hpp"

namespace refrain::cli {
namespace {

constexpr const char* kExamples = R"(
Examples:
  refrain models                            every folder that has files
  refrain models checkpoints loras          these folders
  refrain models --json --models ~/ComfyUI/models

The family and type come from the headers of safetensors files; other files are listed with their size.)";

// ComfyUI's model folders (folder_paths.py), without those for code and configurations.
constexpr std::array kFolders{"checkpoints",   "diffusion_models", "loras",       "vae",          "text_encoders",
                              "embeddings",    "controlnet",       "clip_vision", "style_models", "upscale_models",
                              "hypernetworks", "gligen",           "photomaker",  "vae_approx",   "model_patches"};

struct ModelsFlags {
  RuntimeFlags runtime;
  std::vector<std::string> folders;
  bool json = false;
};

struct Listed {
  std::string folder;
  std::string name;
  std::filesystem::path path;
  ModelFile model;
};

std::vector<Listed> list_models(const Host& host, const std::vector<std::string>& folders) {
  std::vector<Listed> found;
  for (const std::string& folder : folders) {
    for (const std::string& name : host.files_in(folder)) {
      const std::filesystem::path path = host.find_file(folder, name);
      found.push_back({folder, name, path, describe_model_file(path)});
    }
  }
  return found;
}

std::string size_text(std::uint64_t bytes) {
  constexpr double kMega = 1e6, kGiga = 1e9;
  const auto size = static_cast<double>(bytes);
  if (size >= kGiga) return fmt::format("{:.2f} GB", size / kGiga);
  return size >= kMega ? fmt::format("{:.0f} MB", size / kMega) : fmt::format("{:.0f} kB", std::max(size / 1e3, 1.0));
}

void print_table(const std::vector<Listed>& models) {
  std::size_t name = 0, family = 0;
  for (const Listed& model : models) {
    name = std::max(name, model.name.size());
    family = std::max(family, model.model.family.size());
  }
  std::string_view folder;
  for (const Listed& model : models) {
    if (model.folder != folder) fmt::print("{}\n", folder = model.folder);
    fmt::print("  {:{}}  {:{}}  {:4}  {:>9}{}\n", presentable(model.name), name, model.model.family, family,
               model.model.dtype, size_text(model.model.bytes),
               model.model.problem.empty() ? "" : "  " + presentable(model.model.problem));
  }
}

void print_json(const std::vector<Listed>& models) {
  JsonWriter json(JsonWriter::Style::indented);
  json.begin_array();
  for (const Listed& model : models) {
    json.begin_object().member("folder", model.folder).member("name", model.name).member("path", model.path.string());
    json.member("family", model.model.family).member("dtype", model.model.dtype).member("bytes", model.model.bytes);
    if (!model.model.problem.empty()) json.member("problem", model.model.problem);
    json.end_object();
  }
  fmt::print("{}\n", json.end_array().take());
}

int show(const ModelsFlags& flags) {
  RuntimeOptions options = flags.runtime.options();
  options.standard_plugin_paths = false;  // files alone: no node library is needed
  const Runtime runtime(options);
  std::vector<std::string> folders = flags.folders;
  if (folders.empty()) folders.assign(kFolders.begin(), kFolders.end());
  const std::vector<Listed> models = list_models(runtime.host(), folders);
  if (flags.json) {
    print_json(models);
  } else {
    print_table(models);
  }
  if (models.empty()) {
    std::string roots;
    for (const std::filesystem::path& root : options.model_folders) roots += " " + root.string();
    print_note(
        fmt::format("no model files below{}: --models names a folder laid out as ComfyUI's, "
                    "models/checkpoints/NAME.safetensors say",
                    roots));
  }
  return kDone;
}

}  // namespace

Action add_models_command(CLI::App& app) {
  auto flags = std::make_shared<ModelsFlags>();
  CLI::App& command = *app.add_subcommand("models", "List the model files with family, type and size");
  command.footer(kExamples);
  command.add_option("folder", flags->folders, "Folders to list, as ComfyUI calls them; default: all")
      ->type_name("NAME");
  command.add_flag("--json", flags->json, "Print a list of objects");
  flags->runtime.add_folder_flags(command);
  return [flags] { return show(*flags); };
}

}  // namespace refrain::cli
