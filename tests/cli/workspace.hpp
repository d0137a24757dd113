#pragma once
// A folder to run the command in, and the workflow that most tests begin with.

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

#include "cli/command.hpp"
#include "support/temporary_folder.hpp"

namespace refrain::testing {

using Json = nlohmann::ordered_json;

/// ComfyUI's default graph on the small checkpoint: 64 x 48 pixels, 4 steps.
inline Json small_workflow() {
  return Json::parse(R"({
    "3": {"class_type": "KSampler", "inputs": {"seed": 7, "steps": 4, "cfg": 7.5, "sampler_name": "euler",
          "scheduler": "normal", "denoise": 1, "model": ["4", 0], "positive": ["6", 0], "negative": ["7", 0],
          "latent_image": ["5", 0]}},
    "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "small.safetensors"}},
    "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 48, "batch_size": 1}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a lighthouse", "clip": ["4", 1]},
          "_meta": {"title": "Positive"}},
    "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "text", "clip": ["4", 1]}},
    "8": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["4", 2]}},
    "9": {"class_type": "SaveImage", "inputs": {"filename_prefix": "picture", "images": ["8", 0]}}})");
}

/// Needs no model: an empty latent, saved.
inline Json latent_workflow() {
  return Json::parse(R"({
    "1": {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 64, "batch_size": 1}},
    "2": {"class_type": "SaveLatent", "inputs": {"samples": ["1", 0], "filename_prefix": "x"}}})");
}

/// A workspace: the command's working folder, with the models of the build tree at hand.
class Workspace {
 public:
  TemporaryFolder folder;

  std::string write(const std::string& name, const Json& workflow) const {
    folder.write(name, workflow.dump(1));
    return name;
  }
  Outcome run(std::vector<std::string> arguments, CommandOptions options = {}) const {
    options.folder = folder.path();
    options.environment.emplace_back("REFRAIN_MODELS", REFRAIN_TEST_MODELS);
    return refrain(arguments, options);
  }
  /// run() of one workflow.
  Outcome run_workflow(const Json& workflow, std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments{"run", write("workflow.json", workflow)};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments);
  }
  std::vector<std::string> outputs() const { return files_below(folder / "output"); }
};

}  // namespace refrain::testing
