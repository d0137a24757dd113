#pragma once
// What the runtime offers to nodes outside a run: at validation, and when choices are listed.

#include <refrain/host.hpp>

#include "execution/file_folders.hpp"

namespace refrain {

/// Folders, device, dtype and memory of a process. A run adds progress, log, cancellation and deferred work.
class RuntimeHost : public Host {
 public:
  RuntimeHost(FileFolders folders, c10::Device device, c10::ScalarType dtype)
      : folders_(std::move(folders)), device_(device), dtype_(dtype) {}

  Choices files_in(std::string_view folder) const override { return folders_.files_in(folder); }
  std::filesystem::path find_file(std::string_view folder, std::string_view name) const override {
    return folders_.find_file(folder, name);
  }
  std::filesystem::path data_file(std::string_view name) const override { return folders_.data_file(name); }
  std::filesystem::path directory(Folder which) const override;

  bool cancelled() const override { return false; }
  void progress(std::int64_t, std::int64_t) override {}
  void log(LogLevel, std::string_view) override {}

  c10::Device device() const override { return device_; }
  c10::ScalarType dtype() const override { return dtype_; }

  /// Outside a run there is nothing to overtake: the work is done at once.
  void defer(std::function<void()> work) override { work(); }
  void require_memory(std::uint64_t bytes, std::string_view what) const override;

 private:
  FileFolders folders_;
  c10::Device device_;
  c10::ScalarType dtype_;
};

}  // namespace refrain
