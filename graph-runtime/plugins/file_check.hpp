#pragma once
// Whether a file may be opened as a library at all.

#include <sys/types.h>

#include <compare>
#include <filesystem>

namespace refrain {

/// A file whatever its name.
struct FileIdentity {
  dev_t device = 0;
  ino_t inode = 0;
  friend auto operator<=>(const FileIdentity&, const FileIdentity&) = default;
};

/// Throws PluginError (without the file's name): `not_found`, `not_a_file`, `unreadable`.
FileIdentity check_regular_file(const std::filesystem::path& file);

/// A library runs with the user's rights, so nobody else may be able to put it there. Throws PluginError
/// `world_writable` where everybody may write to the file, or to its folder; a sticky folder, where others can't
/// replace a file, will do if the file is the user's own or root's.
void check_not_world_writable(const std::filesystem::path& file);

}  // namespace refrain
