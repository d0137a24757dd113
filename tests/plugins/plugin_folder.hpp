#pragma once
// A folder of a test's own, with copies of the libraries that the build made for the tests.

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>

#include <unistd.h>

namespace refrain {

inline std::filesystem::path built_library(const std::string& name) {
  return std::filesystem::path(REFRAIN_TEST_PLUGINS) / (name + ".so");
}

inline std::string read_bytes(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw std::runtime_error("can't read " + file.string());
  return {std::istreambuf_iterator<char>(in), {}};
}

/// Removed with all that is in it.
class PluginFolder {
 public:
  PluginFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "refrain-plugins-").string() + std::string(6, 'X');
    if (!::mkdtemp(pattern.data())) throw std::runtime_error("can't make a folder for the test");
    path_ = pattern;
  }
  ~PluginFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  PluginFolder(const PluginFolder&) = delete;
  PluginFolder& operator=(const PluginFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  /// Copies a library of the build in under another name.
  std::filesystem::path copy(const std::string& library, const std::string& as) const {
    std::filesystem::copy_file(built_library(library), path_ / as);
    return path_ / as;
  }
  std::filesystem::path write(const std::string& name, std::string_view bytes) const {
    std::ofstream(path_ / name, std::ios::binary) << bytes;
    return path_ / name;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace refrain
