#include "frame_access.hpp"

#include <refrain/errors.hpp>

namespace refrain {

Host::~Host() = default;
bool Host::wants_previews() const { return false; }
void Host::preview(const at::Tensor&) {}

namespace detail {

std::string quoted(std::string_view name) { return std::string("'").append(name).append("'"); }

std::filesystem::path choice_path(const Host& host, const Choice& port, const std::string& name) {
  if (!port.folder) {
    throw NodeError("no_folder", "input " + quoted(port.name) +
                                     " is no choice of files, so it has no path; declare it with FilesIn");
  }
  return host.find_file(port.folder, name);
}

}  // namespace detail

}  // namespace refrain
