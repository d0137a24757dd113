#include "execution/runtime_host.hpp"

#include <refrain/errors.hpp>

#include <system_error>

#include "execution/device_memory.hpp"
#include "execution/memory_guard.hpp"

namespace refrain {

std::filesystem::path RuntimeHost::directory(Folder which) const {
  const FileFolders::Roots& roots = folders_.roots();
  const std::filesystem::path& path = which == Folder::input  ? roots.input
                                      : which == Folder::temp ? roots.temp
                                                              : roots.output;
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) {
    throw NodeError("folder_not_made", "The folder " + path.string() + " can't be made: " + error.message() +
                                           ". Choose one that you may write to.");
  }
  return path;
}

void RuntimeHost::require_memory(std::uint64_t bytes, std::string_view what) const {
  if (device_.is_cpu()) {
    require_available_memory(bytes, what);
  } else if (const auto free = free_device_memory(device_); free && bytes > *free) {
    const std::string where = "memory on " + device_.str();
    throw_out_of_memory(bytes, *free, what, where.c_str());
  }
}

}  // namespace refrain
