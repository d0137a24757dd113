#pragma once
// The files that nodes say they have saved.

#include <refrain/runtime.hpp>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace refrain::cli {

/// One file record of a node's ui text, in ComfyUI's words.
struct SavedFile {
  std::string category;  ///< the list's name: "images", "latents"
  std::string filename;
  std::string subfolder;
  std::string type;  ///< "output" or "temp"
  std::filesystem::path path;
};

/// The records in one node's ui text: every object with a file name, whatever its list is called, that lies in the
/// output or temp folder. The file need not be there yet: writing is deferred until the run's end.
std::vector<SavedFile> saved_in(std::string_view ui, const RuntimeOptions& folders);

/// The files that a run's nodes say they have saved and that are there, in the order of the report.
std::vector<std::filesystem::path> saved_files(const RunReport& report, const RuntimeOptions& folders);

}  // namespace refrain::cli
