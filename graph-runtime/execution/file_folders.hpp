#pragma once
// The folders that a workflow's file names are looked up in, laid out as ComfyUI's: models/checkpoints, input, ...

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "execution/extra_model_paths.hpp"

namespace refrain {

/// Where files are found. Every name that comes out of a workflow is contained: it never leaves its folder.
class FileFolders {
 public:
  struct Roots {
    std::vector<std::filesystem::path> models;  ///< searched in order, the first hit wins
    std::filesystem::path input;
    std::filesystem::path output;
    std::filesystem::path temp;
    std::vector<ExtraModelFolder> extra{};  ///< beside the roots, in the order of their files
    std::filesystem::path vocabulary;       ///< a file; empty: REFRAIN_VOCABULARY, else among the installed data
  };

  explicit FileFolders(Roots roots) : roots_(std::move(roots)) {}
  const Roots& roots() const { return roots_; }

  /// The files below a folder, in sub-folders too: relative, '/' between parts, sorted by bytes. Of a model folder only
  /// model files (ComfyUI's list of extensions); "input", "output" and "temp" give all, without sub-folders, as ComfyUI
  /// does.
  std::vector<std::string> files_in(std::string_view folder) const;

  /// The file `name` of a folder. Throws NodeError: `bad_file_name` for a name that is absolute, climbs with "..", or
  /// leads out of input, output or temp over a link; `file_not_found` with the folders searched and the nearest names
  /// there. Links inside a model folder are followed: the person who keeps the models has put them there.
  std::filesystem::path find_file(std::string_view folder, std::string_view name) const;

  /// A file that came with the installation: <prefix>/share/refrain/<name>, with the program in <prefix>/bin.
  /// Throws NodeError `file_not_found` with the places searched.
  std::filesystem::path data_file(std::string_view name) const;

 private:
  std::vector<std::filesystem::path> directories(std::string_view folder) const;
  bool is_model_folder(std::string_view folder) const;

  Roots roots_;
};

/// Size, time and inode of a file: equal stamps mean equal contents. All zero for a file that is not there.
struct FileStamp {
  std::uint64_t size = 0;
  std::int64_t modified_ns = 0;
  std::uint64_t inode = 0;
  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};
FileStamp stamp_of(const std::filesystem::path& file);

}  // namespace refrain
