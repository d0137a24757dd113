#pragma once
// Loads node libraries into a registry. One bad library never stops the others.

#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "plugins/file_check.hpp"
#include "plugins/registration.hpp"
#include "plugins/registry.hpp"
#include "plugins/runtime_traits.hpp"
#include "plugins/search_path.hpp"

namespace refrain {

/// A library whose nodes are in the registry.
struct LoadedLibrary {
  std::filesystem::path file;
  std::string name;
  std::string version;
  std::vector<std::string> nodes;  ///< in the order of its record
  double milliseconds = 0;         ///< from the first look at the file to the last node
};

/// A library that was not taken, and why.
struct RefusedLibrary {
  std::filesystem::path file;
  std::string code;     ///< stable, one for each check: "other_torch", "duplicate_node", ...
  std::string message;  ///< names the file, both sides and the remedy
};

/// What became of the libraries found.
struct PluginReport {
  std::vector<LoadedLibrary> loaded;
  std::vector<RefusedLibrary> refused;
};

/// Takes libraries one after the other. For each: a regular file, readable, not loaded already, not writable by
/// everybody; the record there, of this ABI; its stamp fits; it opens; its nodes describe themselves and hold
/// together. The first failure wins; nothing of the file's code runs before its stamp was found to fit; and its nodes
/// reach the registry all or none. Not for use from several threads.
class PluginLoader {
 public:
  explicit PluginLoader(Registry& registry, RuntimeTraits runtime = this_runtime());

  /// Loads one library. What is wrong with it goes into the report.
  void load_file(const std::filesystem::path& file, bool trusted = false);
  /// Loads every `*.so` of a folder, by name, or the one library that the place is.
  void load_place(const PluginPlace& place);
  const PluginReport& report() const { return report_; }

 private:
  LoadedLibrary load(const std::filesystem::path& file, bool trusted);
  void refuse(const std::filesystem::path& file, const std::string& code, const std::string& what);

  Registry& registry_;
  RuntimeTraits runtime_;
  PayloadTable payloads_;
  std::map<FileIdentity, std::filesystem::path> files_;
  PluginReport report_;
};

/// Loads everything from the places, in order, and seals the registry.
PluginReport load_plugins(Registry& registry, std::span<const PluginPlace> places);

}  // namespace refrain
