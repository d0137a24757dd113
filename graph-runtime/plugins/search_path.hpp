#pragma once
// Where node libraries are looked for.

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace refrain {

/// A folder of libraries, or one library.
struct PluginPlace {
  std::filesystem::path path;
  std::string origin;     ///< for messages: "--plugin-path", "REFRAIN_PLUGIN_PATH", "user", "system"
  bool required = false;  ///< somebody named it: a missing one is reported
  bool trusted = false;   ///< next to the executable: who can write there can replace that too, so rights don't matter
};

/// The parts of the environment that matter. Empty: not set.
struct PluginEnvironment {
  std::string plugin_path;  ///< REFRAIN_PLUGIN_PATH, separated by colons
  std::string data_home;    ///< XDG_DATA_HOME
  std::string home;         ///< HOME
};

/// From this process.
PluginEnvironment plugin_environment();

/// The places in the order in which they are searched: those given, REFRAIN_PLUGIN_PATH, the user's folder
/// ($XDG_DATA_HOME/refrain/nodes, else ~/.local/share/refrain/nodes), the system's (../lib/refrain/nodes from the
/// executable, which is the build tree's too). A given entry may hold several, separated by colons.
/// A folder that comes again is left out.
std::vector<PluginPlace> plugin_places(const std::vector<std::string>& given, const std::filesystem::path& executable,
                                       const PluginEnvironment& environment = plugin_environment());

/// The running program, links resolved.
std::filesystem::path this_executable();

}  // namespace refrain
