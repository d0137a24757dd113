#include "plugins/loader.hpp"

#include <refrain/errors.hpp>

#include <algorithm>
#include <chrono>
#include <system_error>
#include <utility>

#include "plugins/library_file.hpp"
#include "plugins/open_library.hpp"

namespace refrain {

namespace {

/// Whatever ends in ".so", so that a folder or a broken link of such a name is reported rather than passed over.
std::vector<std::filesystem::path> libraries_in(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  std::error_code error;
  std::filesystem::directory_iterator entry(folder, error);
  if (error)
    throw PluginError("unreadable", "the folder can't be listed: " + error.message() + "; check its permissions");
  for (; entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    if (entry->path().extension() == ".so") files.push_back(entry->path());
    if (error) break;
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

PluginLoader::PluginLoader(Registry& registry, RuntimeTraits runtime)
    : registry_(registry), runtime_(std::move(runtime)) {}

LoadedLibrary PluginLoader::load(const std::filesystem::path& file, bool trusted) {
  const auto start = std::chrono::steady_clock::now();
  const FileIdentity identity = check_regular_file(file);
  if (const auto known = files_.find(identity); known != files_.end()) {
    throw PluginError("loaded_already", "the same file as " + known->second.string() + ", which is loaded");
  }
  if (!trusted) check_not_world_writable(file);
  check_fit(read_library_facts(file), runtime_);
  const abi::Record& record = open_library(file);
  StagedLibrary staged = stage_library(record, file, registry_, payloads_);

  LoadedLibrary library{file, record.name, record.version, {}, 0};
  for (const auto& type : staged.types) library.nodes.push_back(type->schema.name);
  registry_.add(std::move(staged.types));
  payloads_ = std::move(staged.payloads);
  files_.emplace(identity, file);
  library.milliseconds = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  return library;
}

void PluginLoader::load_file(const std::filesystem::path& file, bool trusted) {
  try {
    report_.loaded.push_back(load(file, trusted));
  } catch (const Error& error) {
    refuse(file, error.code(), error.what());
  } catch (const std::exception& error) {  // the file system's
    refuse(file, "unreadable", error.what());
  }
}

void PluginLoader::load_place(const PluginPlace& place) {
  std::error_code error;
  const auto status = std::filesystem::status(place.path, error);
  if (status.type() == std::filesystem::file_type::not_found) {
    if (place.required) refuse(place.path, "not_found", "there is no such file or folder; correct " + place.origin);
    return;
  }
  if (!std::filesystem::is_directory(status)) return load_file(place.path, place.trusted);
  try {
    for (const std::filesystem::path& file : libraries_in(place.path)) load_file(file, place.trusted);
  } catch (const Error& problem) {
    refuse(place.path, problem.code(), problem.what());
  }
}

void PluginLoader::refuse(const std::filesystem::path& file, const std::string& code, const std::string& what) {
  report_.refused.push_back({file, code, file.string() + ": " + what});
}

PluginReport load_plugins(Registry& registry, std::span<const PluginPlace> places) {
  PluginLoader loader(registry);
  for (const PluginPlace& place : places) loader.load_place(place);
  registry.seal();
  return loader.report();
}

}  // namespace refrain
