#pragma once
// Names for what output nodes write, as ComfyUI gives them, and files that appear whole or not at all.

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace refrain {

/// A file that is being written: a `.part` beside the place it will have. The part is created when the object is, and
/// so reserves the number in the name, for this process and for others. commit() gives the file its name; destruction
/// without it removes the part. Movable, not thread-safe.
class PendingFile {
 public:
  PendingFile(std::filesystem::path part, std::filesystem::path file, std::string subfolder);
  ~PendingFile();
  PendingFile(PendingFile&& other) noexcept;
  PendingFile& operator=(PendingFile&&) = delete;

  const std::filesystem::path& part() const { return part_; }  ///< write here
  const std::filesystem::path& file() const { return file_; }  ///< where it will be
  std::string name() const { return file_.filename().string(); }
  const std::string& subfolder() const { return subfolder_; }  ///< below the output folder; empty for the folder itself

  /// Flushes the part to the disk and renames it. Throws NodeError (file.write) when that fails.
  void commit();

 private:
  std::filesystem::path part_;  ///< empty: committed or moved from
  std::filesystem::path file_;
  std::string subfolder_;
};

/// What an output node wants to write.
struct OutputName {
  std::string_view prefix;     ///< `filename_prefix`: may have folders and %tokens%
  std::string_view extension;  ///< ".png"
  int width = 0;               ///< for %width%
  int height = 0;              ///< for %height%
  int count = 1;               ///< files, numbered on from the first free counter; %batch_num% counts from 0
};

/// Reserves `count` files named `<prefix>_<counter:05>_<extension>` below `folder`, and makes the folders they need.
/// The counter is one more than the highest in the folder (comfyui.md section 9).
/// Throws NodeError: output.outside for a prefix that leaves `folder` (also through a symbolic link), output.name for
/// one that is no file name, file.create when the system refuses.
std::vector<PendingFile> reserve_output_files(const std::filesystem::path& folder, const OutputName& name);

/// Writes `bytes` into a pending file's part. Throws NodeError (file.write), saying what the system said.
void write_part(const PendingFile& file, std::string_view bytes);

}  // namespace refrain
