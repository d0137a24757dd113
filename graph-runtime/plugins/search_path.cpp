#include "plugins/search_path.hpp"

#include <algorithm>
#include <cstdlib>
#include <system_error>
#include <utility>

namespace refrain {

namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

void append_list(std::vector<PluginPlace>& places, std::string_view list, const char* origin) {
  for (bool more = true; more;) {
    const std::size_t colon = list.find(':');
    more = colon != std::string_view::npos;
    const std::string_view entry = list.substr(0, colon);
    if (!entry.empty()) places.push_back({std::filesystem::path(entry), origin, true, false});
    if (more) list.remove_prefix(colon + 1);
  }
}

/// One spelling for each place, also for one that does not exist.
std::filesystem::path spelled_out(const std::filesystem::path& path) {
  std::error_code error;
  const std::filesystem::path real = std::filesystem::weakly_canonical(path, error);
  if (error) return path;
  return real.has_filename() ? real : real.parent_path();  // without the slash at its end
}

}  // namespace

PluginEnvironment plugin_environment() {
  return {variable("REFRAIN_PLUGIN_PATH"), variable("XDG_DATA_HOME"), variable("HOME")};
}

std::vector<PluginPlace> plugin_places(const std::vector<std::string>& given, const std::filesystem::path& executable,
                                       const PluginEnvironment& environment) {
  std::vector<PluginPlace> all;
  for (const std::string& entry : given) append_list(all, entry, "--plugin-path");
  append_list(all, environment.plugin_path, "REFRAIN_PLUGIN_PATH");
  // The XDG specification has relative values ignored.
  if (std::filesystem::path(environment.data_home).is_absolute()) {
    all.push_back({std::filesystem::path(environment.data_home) / "refrain" / "nodes", "user", false, false});
  } else if (!environment.home.empty()) {
    all.push_back({std::filesystem::path(environment.home) / ".local/share/refrain/nodes", "user", false, false});
  }
  if (!executable.empty()) {
    all.push_back({executable.parent_path().parent_path() / "lib" / "refrain" / "nodes", "system", false, true});
  }

  std::vector<PluginPlace> places;
  std::vector<std::filesystem::path> seen;
  for (PluginPlace& place : all) {
    const std::filesystem::path real = spelled_out(place.path);
    if (std::find(seen.begin(), seen.end(), real) != seen.end()) continue;
    seen.push_back(real);
    places.push_back(std::move(place));
  }
  return places;
}

std::filesystem::path this_executable() {
  std::error_code error;
  const std::filesystem::path path = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? std::filesystem::path() : path;
}

}  // namespace refrain
