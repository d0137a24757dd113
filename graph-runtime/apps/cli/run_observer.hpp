#pragma once
// A run as the command shows it: progress on stderr, and the list of what was saved.

#include <refrain/runtime.hpp>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "progress_display.hpp"

namespace refrain::cli {

/// Follows one run. `quiet`: failures only.
class ConsoleObserver final : public RunObserver {
 public:
  ConsoleObserver(ProgressDisplay& display, bool quiet) : display_(display), quiet_(quiet) {}

  void executing(const NodeRef& node) override;
  void progress(const NodeRef& node, std::int64_t value, std::int64_t max) override;
  void executed(const NodeRef& node, std::string_view ui) override;
  void log(const NodeRef& node, LogLevel level, std::string_view line) override;
  void error(const NodeFailure& failure) override;

 private:
  ProgressDisplay& display_;
  bool quiet_;
};

/// The files that a run's nodes say they have saved and that are there, in the order of the report.
std::vector<std::filesystem::path> saved_files(const RunReport& report, const RuntimeOptions& folders);

}  // namespace refrain::cli
