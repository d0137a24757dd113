#pragma once
// `refrain run --preview-directory`: unfinished pictures, as files.

#include <refrain/runtime.hpp>

#include <chrono>
#include <filesystem>
#include <map>
#include <string>

namespace refrain::cli {

/// Writes the latest preview of each node to `<folder>/preview_<node id>.png`, a few times a second at most. A file is
/// always whole, so that a viewer may look at it at any time. A preview that can't be written is told once and no
/// reason to stop.
class PreviewFiles final : public RunObserver {
 public:
  /// `folder`: where to write, made when it is first needed; empty: nowhere.
  explicit PreviewFiles(std::filesystem::path folder) : folder_(std::move(folder)) {}

  bool wants_previews() const override { return !folder_.empty() && !failed_; }
  void preview(const NodeRef& node, const at::Tensor& pixels) override;

 private:
  std::filesystem::path folder_;
  std::map<std::string, std::chrono::steady_clock::time_point, std::less<>> written_;
  bool failed_ = false;
};

}  // namespace refrain::cli
