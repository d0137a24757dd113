#pragma once
// ComfyUI's extra_model_paths.yaml: model folders outside the roots.

#include <filesystem>
#include <string>
#include <vector>

namespace refrain {

/// One more place for the files of a folder.
struct ExtraModelFolder {
  std::string folder;  ///< "checkpoints", "loras", ...; as written
  std::filesystem::path path;
  bool first = false;  ///< searched before all others
};

/// Reads such a file as utils/extra_config.py of ComfyUI 0.3.64 does: any number of sections, each with an optional
/// `base_path` (`~` and `$VARIABLES` are replaced; a relative one counts from the file) and `is_default`; every other
/// member names a folder and holds one path or several, one a line. Throws ValidationError (bad_model_paths) with line
/// and column.
std::vector<ExtraModelFolder> read_extra_model_paths(const std::filesystem::path& file);

}  // namespace refrain
