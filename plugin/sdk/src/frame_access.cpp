#include "frame_access.hpp"

#include <refrain/errors.hpp>

namespace refrain {

Host::~Host() = default;
bool Host::wants_previews() const { return false; }
void Host::preview(const at::Tensor&) {}

namespace detail {

namespace {

/// Ports are constants, so the pointers mostly agree and no characters are compared.
bool same_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() && (a.data() == b.data() || a == b);
}

}  // namespace

std::string quoted(std::string_view name) { return std::string("'").append(name).append("'"); }

const Slot* find_slot(const Frame& frame, std::string_view name) {
  for (const Slot& slot : frame.inputs) {
    if (same_name(slot.name, name)) return &slot;
  }
  return nullptr;
}

std::filesystem::path choice_path(const Host& host, const Choice& port, const std::string& name) {
  if (!port.folder) {
    throw NodeError("no_folder", "input " + quoted(port.name) +
                                     " is no choice of files, so it has no path; declare it with FilesIn");
  }
  return host.find_file(port.folder, name);
}

}  // namespace detail

}  // namespace refrain
