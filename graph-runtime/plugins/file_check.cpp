#include "plugins/file_check.hpp"

#include <refrain/errors.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace refrain {

namespace {

struct stat status_of(const std::filesystem::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0) return status;
  if (errno == ENOENT && std::filesystem::is_symlink(std::filesystem::symlink_status(path))) {
    throw PluginError("not_found", "a link to something that is not there; remove or mend it");
  }
  if (errno == ENOENT || errno == ENOTDIR) throw PluginError("not_found", "there is no such file or folder");
  throw PluginError("unreadable",
                    std::string("can't be looked at: ") + std::strerror(errno) + "; check its permissions");
}

}  // namespace

FileIdentity check_regular_file(const std::filesystem::path& file) {
  const struct stat status = status_of(file);
  if (S_ISDIR(status.st_mode)) throw PluginError("not_a_file", "a folder, not a file");
  if (!S_ISREG(status.st_mode)) throw PluginError("not_a_file", "neither a regular file nor a link to one");
  if (::access(file.c_str(), R_OK) != 0) {
    throw PluginError("unreadable", std::string("can't be read: ") + std::strerror(errno) + "; check its permissions");
  }
  return {status.st_dev, status.st_ino};
}

void check_not_world_writable(const std::filesystem::path& file) {
  const std::filesystem::path real = std::filesystem::canonical(file);
  const struct stat status = status_of(real);
  if (status.st_mode & S_IWOTH) {
    throw PluginError("world_writable", "everybody may write to it; run: chmod o-w '" + real.string() + "'");
  }
  const std::filesystem::path folder = real.parent_path();
  const struct stat folder_status = status_of(folder);
  if (!(folder_status.st_mode & S_IWOTH)) return;
  const bool sticky = folder_status.st_mode & S_ISVTX;
  if (sticky && (status.st_uid == ::geteuid() || status.st_uid == 0)) return;
  throw PluginError("world_writable", "everybody may write to its folder; run: chmod o-w '" + folder.string() + "'");
}

}  // namespace refrain
