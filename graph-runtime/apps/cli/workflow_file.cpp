#include "workflow_file.hpp"

#include <refrain/errors.hpp>

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>

#include "png_text.hpp"

namespace refrain::cli {
namespace {

constexpr std::size_t kLargestFile = std::size_t{1} << 30U;

struct CloseFile {
  void operator()(std::FILE* file) const {
    if (file != stdin) {
      std::fclose(file);
    }
  }
};

std::string read_all(const std::string& name, const std::string& source) {
  if (name != "-" && std::filesystem::is_directory(name)) {
    throw WorkflowError("workflow_unreadable", fmt::format("{} is a folder; give a workflow file in it", source));
  }
  const std::unique_ptr<std::FILE, CloseFile> file(name == "-" ? stdin : std::fopen(name.c_str(), "rb"));
  if (file == nullptr) {
    throw WorkflowError(errno == ENOENT ? "workflow_not_found" : "workflow_unreadable",
                        fmt::format("cannot read {}: {}", source, std::strerror(errno)));
  }
  std::string text;
  std::array<char, 1U << 16U> chunk;
  while (const std::size_t size = std::fread(chunk.data(), 1, chunk.size(), file.get())) {
    text.append(chunk.data(), size);
    if (text.size() > kLargestFile) {
      throw WorkflowError("workflow_unreadable", fmt::format("{} is larger than 1 GiB: that is no workflow", source));
    }
  }
  if (std::ferror(file.get()) != 0) {
    throw WorkflowError("workflow_unreadable", fmt::format("cannot read {}: {}", source, std::strerror(errno)));
  }
  return text;
}

/// The value that begins at `begin`: the text of a file for @file, its last line feed left out; @@ stands for @.
std::string value_of(const std::string& setting, std::size_t begin) {
  std::string value = setting.substr(begin);
  if (!value.starts_with('@')) return value;
  value.erase(0, 1);
  if (value.starts_with('@')) return value;
  std::string text;
  try {
    text = read_all(value, value == "-" ? "<stdin>" : value);
  } catch (const WorkflowError& error) {
    throw WorkflowError("setting_rejected", fmt::format("--set {}: {}. A value that begins with @ itself is written @@",
                                                        setting, error.what()));
  }
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
  return text;
}

}  // namespace

std::vector<std::string> setting_files(const std::vector<std::string>& settings) {
  std::vector<std::string> files;
  for (const std::string& setting : settings) {
    const std::size_t at = setting.find("=@");
    if (at == std::string::npos || setting.find('=') != at || setting.compare(at + 2, 1, "@") == 0) continue;
    files.push_back(setting.substr(at + 2));
  }
  return files;
}

WorkflowText read_workflow_text(const std::string& name) {
  WorkflowText workflow;
  workflow.source = name == "-" ? "<stdin>" : name;
  workflow.json = read_all(name, workflow.source);
  if (!is_png(workflow.json)) {
    return workflow;
  }
  std::string prompt;
  try {
    for (auto& [key, text] : read_png_text(workflow.json)) {
      if (key == "prompt") {
        prompt = std::move(text);
      } else if (key == "workflow") {
        workflow.ui_workflow = std::move(text);
      }
    }
  } catch (const std::runtime_error& error) {
    throw WorkflowError("workflow_unreadable",
                        fmt::format("{} is a damaged PNG file: {}", workflow.source, error.what()));
  }
  if (prompt.empty()) {
    throw WorkflowError("workflow_no_prompt",
                        fmt::format("the picture {} carries no workflow: it has no text chunk \"prompt\". "
                                    "Give a PNG as ComfyUI saved it, not one edited or sent through a messenger",
                                    workflow.source));
  }
  workflow.json = std::move(prompt);
  workflow.from_picture = true;
  return workflow;
}

Workflow open_workflow(const Runtime& runtime, const std::string& name, const std::vector<std::string>& settings) {
  WorkflowText text = read_workflow_text(name);
  Workflow workflow = runtime.parse(text.json, text.source);
  if (!text.ui_workflow.empty()) {
    workflow.set_ui_workflow(std::move(text.ui_workflow));
  }
  if (text.from_picture) runtime.fill_in(workflow);
  for (const std::string& setting : settings) {
    const std::size_t equals = setting.find('=');
    if (equals == std::string::npos) {
      throw WorkflowError("setting_rejected", fmt::format("--set {}: give <id or title>.<input>=value, "
                                                          "as in --set 3.seed=7",
                                                          setting));
    }
    runtime.set(workflow, std::string_view(setting).substr(0, equals), value_of(setting, equals + 1));
  }
  return workflow;
}

}  // namespace refrain::cli
