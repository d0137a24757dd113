#pragma once
// A file in memory, read-only.

#include <cstddef>
#include <filesystem>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace refrain::diffusion {

/// Where bytes are in a file.
struct FilePart {
  std::size_t offset = 0;
  std::size_t bytes = 0;
  bool late = false;  ///< read after all those that are not
};

/// A whole file mapped for reading. Immutable; its bytes may be read from several threads.
class MappedFile {
 public:
  /// Throws ModelError when the file is missing, not a regular file, or can't be mapped.
  explicit MappedFile(const std::filesystem::path& file);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  const std::byte* data() const { return data_; }
  std::size_t size() const { return size_; }
  const std::string& name() const { return name_; }
  /// Drops the whole pages inside [offset, offset + length): reading them again reads the file again.
  void give_back(std::size_t offset, std::size_t length) const;
  /// Begins to read these parts of the file in the background, once, so that the disk is busy while what is there
  /// already is worked on. Ends with this object.
  void read_ahead(std::vector<FilePart> parts) const;

 private:
  std::string name_;
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  int descriptor_ = -1;
  mutable std::once_flag reading_;
  mutable std::jthread reader_;
};

}  // namespace refrain::diffusion
