#pragma once
// What Context and Literals share.

#include <refrain/frame.hpp>
#include <refrain/ports.hpp>

#include <filesystem>
#include <string>
#include <string_view>

namespace refrain::detail {

/// The name in quotes, for messages.
std::string quoted(std::string_view name);

/// The input of that name, or null.
inline const Slot* find_slot(const Frame& frame, std::string_view name) {
  for (const Slot& slot : frame.inputs)
    if (slot.name == name) return &slot;
  return nullptr;
}

/// The file `name` of the choice's folder. Throws NodeError `no_folder` when it has none, and what find_file throws.
std::filesystem::path choice_path(const Host& host, const Choice& port, const std::string& name);

}  // namespace refrain::detail
